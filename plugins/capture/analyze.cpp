#include "analyze.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "base/fd.hpp"
#include "base/utf8.hpp"

namespace p2pdiag::capture_plugin {

namespace {

constexpr int exit_usage = 2;
constexpr int exit_not_written = 4;
constexpr int exit_interrupted = 130;

// Where nothing can be analysed. In the form that the host has for its own: JSON is one document,
// also on failure.
int give_no_result(const json::object& options, int code, const std::string& why) {
    std::cerr << "p2pdiag: " << why << '\n';
    if (json::find_string(options, "format") != "json") return code;
    const json::object error{{"exit_code", code}, {"message", to_valid_utf8(why)}};
    const std::string text =
        json::to_pretty_text(json::object{{"format_version", "1.0"}, {"error", error}});
    write_all(STDOUT_FILENO, text);
    return code;
}

bool is_incomplete(const capture::Totals& totals) {
    switch (totals.end) {
        case capture::End::cut:
        case capture::End::damaged:
        case capture::End::failed: return true;
        case capture::End::none:
        case capture::End::complete:
        case capture::End::cancelled: break;
    }
    return totals.lost.value_or(0) > 0 || totals.oversized > 0 || totals.unknown_interface > 0;
}

}  // namespace

std::optional<AnalysisOptions> read_options(const json::object& options, std::string& problem) {
    AnalysisOptions read;
    read.output = output_of_terminal();
    if (const auto format = json::find_string(options, "format")) {
        const auto known = parse_format(*format);
        if (known) read.output.format = *known;
    }
    if (const auto rows = json::find_integer(options, "rows")) {
        read.output.rows = static_cast<std::size_t>(std::max<std::int64_t>(*rows, 2));
    }
    if (const auto host = json::find_string(options, "host")) {
        read.filter.host = IpAddress::parse(*host);
        if (!read.filter.host) {
            problem = "--host: '" + std::string(*host) + "' is not an IP address";
            return std::nullopt;
        }
    }
    if (const auto port = json::find_integer(options, "port")) {
        read.filter.port = static_cast<std::uint16_t>(*port);
    }
    read.filter.stun_only = json::find_bool(options, "stun").value_or(false);
    if (json::find_string(options, "fail-on") == "warn") read.threshold = Severity::warning;
    return read;
}

Outcome analyze(capture::Reader& reader, const Filter& filter) {
    Analysis analysis(filter);
    capture::Packet packet;
    while (reader.next(packet)) analysis.add(packet);
    const capture::Totals& totals = reader.totals();
    Outcome result = analysis.finish(is_incomplete(totals), totals.ended_ns);
    add_totals(result, totals);
    return result;
}

void add_totals(Outcome& result, const capture::Totals& totals) {
    const std::vector<std::string> remarks = capture::remarks(totals);
    result.remarks.insert(result.remarks.begin(), remarks.begin(), remarks.end());
    if (!is_incomplete(totals)) return;
    Finding finding{
        "capture.incomplete",
        Severity::warning,
        "The capture is not complete: ",
        {{"packets", totals.packets}, {"left_bytes", totals.left_bytes}, {"lost", nullptr}}};
    if (totals.lost) finding.evidence["lost"] = *totals.lost;
    finding.message += remarks.empty() ? "packets are missing" : remarks.front();
    const auto place = std::ranges::find_if(
        result.findings, [](const Finding& one) { return one.severity < Severity::warning; });
    result.findings.insert(place, std::move(finding));
}

int analyze_command(Run& run, const json::object& options) {
    std::string problem;
    auto read = read_options(options, problem);
    if (!read) return give_no_result(options, exit_usage, problem);
    const std::string file(json::find_string(options, "file").value_or("-"));
    const bool from_pipe = file == "-";
    const std::string source = from_pipe ? "standard input" : file;
    read->output.source = source;
    read->output.filtered = read->filter.host.has_value() || read->filter.port.has_value();
    // A copy of the descriptor, which is closed in the end.
    Fd input(from_pipe ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                       : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.open())
        return give_no_result(options, exit_usage, source + ": " + std::strerror(errno));
    auto reader = capture::Reader::open(capture::input_of(std::move(input), run.cancel_fd()));
    if (!reader) {
        const ErrorCode error = reader.error();
        const bool interrupted = error == boost::system::errc::operation_canceled;
        return give_no_result(options, interrupted ? exit_interrupted : exit_usage,
                              source + ": " + (interrupted ? "interrupted" : error.message()));
    }
    const Outcome result = analyze(*reader, read->filter);
    // Whoever reads it may have seen enough: `| head`.
    const bool written = write_all(STDOUT_FILENO, render(result, read->output));
    if (!written && errno != EPIPE) {
        std::cerr << "p2pdiag: standard output: " << std::strerror(errno) << '\n';
        return exit_not_written;
    }
    if (reader->totals().end == capture::End::cancelled) return exit_interrupted;
    return exit_code(result, read->threshold);
}

}  // namespace p2pdiag::capture_plugin
