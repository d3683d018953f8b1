#include "report/formats.hpp"

#include <algorithm>

#include "report/console.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/jsonl.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/nagios.hpp"
#include "report/prometheus.hpp"
#include "report/sarif.hpp"
#include "report/tap.hpp"

namespace p2pdiag::report {

const std::vector<Format>& formats() {
    static const std::vector<Format> all = {
        {"console", ".txt", "for people, at a terminal", &console},
        {"json", ".json", "one JSON document, docs/report.schema.json", &json_document, nullptr,
         exit_codes::internal, &json_error},
        {"jsonl", ".jsonl", "one JSON object a line, written as the run goes on", &jsonl},
        {"junit", ".xml", "JUnit XML, for CI servers", &junit},
        {"tap", ".tap", "TAP 14, for test harnesses", &tap},
        {"sarif", ".sarif", "SARIF 2.1.0, for tools that collect findings", &sarif},
        {"prometheus", ".prom", "for node_exporter's textfile collector", &prometheus},
        {"nagios", ".nagios", "a plugin of Nagios or Icinga, with its exit codes 0 to 3", &nagios,
         &nagios_exit_code, static_cast<int>(NagiosState::unknown), &nagios_unknown},
        {"markdown", ".md", "for an issue or a chat", &markdown},
        {"html", ".html", "one page to look at or to print, with drawings", &html_document},
    };
    return all;
}

const Format* find_format(std::string_view name) {
    const auto& all = formats();
    const auto found = std::ranges::find(all, name, &Format::name);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace p2pdiag::report
