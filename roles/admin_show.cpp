// status, locate, queue

#include "admin.hpp"
#include "stats/render_json.hpp"
#include "stats/render_text.hpp"

namespace geogrid {

task<result<int>> show_status(const Process& process, Output output) {
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const Facts facts, co_await gather_facts(*store));
  output.print(output.json ? status_json(facts).dump(2) + "\n" : render_status(facts, Style{output.colour}));
  co_return assess(facts).verdict == ArchiveVerdict::safe ? 0 : 1;
}

task<result<int>> show_locate(const Process& process, Locate request, Output output) {
  GG_CO_TRY(const Path path, Path::parse(request.path));
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const FileFacts facts, co_await gather_file_facts(*store, path));
  output.print(output.json ? locate_json(facts).dump(2) + "\n" : render_locate(facts, Style{output.colour}));
  co_return 0;
}

task<result<int>> show_queue(const Process& process, Queue request, Output output) {
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const QueueFacts facts, co_await gather_queue_facts(*store, request.limit));
  output.print(output.json ? queue_json(facts).dump(2) + "\n" : render_queue(facts, Style{output.colour}));
  co_return 0;
}

}  // namespace geogrid
