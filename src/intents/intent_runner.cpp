#include "intents/intent_runner.hpp"
