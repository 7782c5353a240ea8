#include "config/reader.hpp"

#include "base/path.hpp"
#include "config/schema.hpp"
#include "config/small_file.hpp"

namespace geogrid {

Error ConfigResult::error() const {
  std::string text;
  for (const ConfigFault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += fault.str();
  }
  return Error(errc::invalid_argument, std::move(text));
}

ConfigResult parse_config(std::string_view text, const std::string& name, const Environment& environment) {
  const std::string shown = printable(name);
  Faults faults(shown);
  Config config;
  config.file = shown;
  if (text.size() > kMaxConfigBytes) {
    faults.add({}, "larger than 1 MiB: this is no configuration");
  } else if (const YamlPtr root = parse_yaml(text, faults);
             root != nullptr && root->kind != YamlNode::Kind::null) {
    ReadContext context(config, environment, faults);
    config_schema().read(context, *root, config);
  } else if (faults.size() == 0) {
    faults.add({}, "the configuration is empty; examples are in the folder conf/");
  }
  ConfigResult result;
  result.faults = faults.take();
  if (result.faults.empty()) result.config = std::move(config);
  return result;
}

ConfigResult read_config(const std::string& path, const Environment& environment) {
  auto file = read_small_file(path, kMaxConfigBytes);
  if (file) return parse_config(file->content, path, environment);
  ConfigResult result;
  result.faults.push_back({printable(path), 0, 0, file.error().message});
  return result;
}

}  // namespace geogrid
