#include "cli/log.hpp"

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/fd.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

// One write for each message, so that lines of several processes on one terminal do not mix.
// spdlog's own sink for stderr throws where nobody reads any more.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        std::string lines;
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            // What follows the first line is often a command to paste.
            lines += fmt::format("{}{}\n", begin == 0 ? "p2pdiag: " : "",
                                 report::single_line(text.substr(begin, end - begin), true));
            begin = end + 1;
        }
        write_all(STDERR_FILENO, lines);
    }
    void flush_() override {}
};

spdlog::logger& logger() {
    static spdlog::logger instance = [] {
        spdlog::logger made("p2pdiag", std::make_shared<StderrSink>());
        made.set_level(spdlog::level::err);
        return made;
    }();
    return instance;
}

void log(spdlog::level::level_enum level, std::string_view message) {
    logger().log(level, spdlog::string_view_t(message.data(), message.size()));
}

spdlog::level::level_enum to_spdlog(std::string_view level) {
    return level == "error" ? spdlog::level::err : spdlog::level::info;
}

}  // namespace

void complain(std::string_view message) { log(spdlog::level::err, message); }

void remark(std::string_view message) { log(spdlog::level::info, message); }

bool is_shown(std::string_view level) { return logger().should_log(to_spdlog(level)); }

void pass_on(std::string_view source, std::string_view level, std::string_view text) {
    const std::string message = fmt::format("{}: {}: {}", source, level, text);
    log(to_spdlog(level), message);
}

void be_verbose() { logger().set_level(spdlog::level::trace); }

}  // namespace p2pdiag::cli
