// The C++ face of abi.h for plugin authors: typed views of what the host offers, and tables that
// are filled in at compile time. Needs the standard library only. docs/plugin-author/ builds a
// plugin with it to the end (installed: share/doc/p2pdiag/docs/).
#pragma once

#include <p2pdiag/abi.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace p2pdiag {

// A string literal as the ABI wants it.
consteval p2pdiag_str literal(const char* text) {
    return {text, std::char_traits<char>::length(text)};
}

inline std::string_view view(p2pdiag_str text) { return {text.data, text.size}; }

// `text` as a JSON string, quotes included. Bytes that are no valid UTF-8 are passed through: the
// host rejects them and names the plugin.
inline std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            out += escape;
        } else {
            out += c;
        }
    }
    out += '"';
    return out;
}

enum class Severity { info, warning, error };

inline std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::info: return "info";
        case Severity::warning: return "warning";
        case Severity::error: break;
    }
    return "error";
}

// One call of a check, verb or function of a change, as the plugin sees it. Borrowed from the host:
// do not keep it.
class Run {
public:
    Run(const p2pdiag_host* host, p2pdiag_str input) : host_(host), input_(input) {}

    // The JSON object that the host handed in; docs/plugin-author/reference.md says what it holds.
    std::string_view input() const { return view(input_); }

    // Readable once the run must stop; -1 when it cannot be cancelled. Poll it, never read it.
    int cancel_fd() const { return host_->cancel_fd; }

    // time_point::max() when there is none.
    std::chrono::steady_clock::time_point deadline() const {
        using Steady = std::chrono::steady_clock;
        if (host_->deadline_ns == 0) return Steady::time_point::max();
        return Steady::time_point(std::chrono::nanoseconds(host_->deadline_ns));
    }

    // When work must stop, so that the report still gets out before the host ends the run.
    std::chrono::steady_clock::time_point time_to_stop() const {
        constexpr std::chrono::milliseconds time_to_report{300};
        const auto last = deadline();
        return last == std::chrono::steady_clock::time_point::max() ? last : last - time_to_report;
    }

    bool cancelled() const {
        if (cancel_fd() < 0) return false;
        pollfd poll_fd{cancel_fd(), POLLIN, 0};
        return ::poll(&poll_fd, 1, 0) > 0;
    }

    // `evidence` is a JSON object. `code` must have a page (docs/codes).
    void finding(std::string_view code, Severity severity, std::string_view message,
                 std::string_view evidence = "{}") {
        std::string line = R"({"type":"finding","code":)" + json_string(code);
        line += R"(,"severity":")";
        line += to_string(severity);
        line += R"(","message":)" + json_string(message) + R"(,"evidence":)";
        line += evidence;
        emit(line += '}');
    }

    // The check's data, a JSON object; the last call stands. Of apply and keep of a change: the
    // record of what is in force now, see abi.h.
    void data(std::string_view object) {
        std::string line = R"({"type":"data","data":)";
        line += object;
        emit(line += '}');
    }

    // One sentence that sums the result up; the last call stands.
    void summary(std::string_view text) {
        emit(R"({"type":"summary","text":)" + json_string(text) + '}');
    }

    // `fraction` from 0 to 1; what is outside, or no number (0 of 0 done), is taken for the
    // nearest, or for 0.
    void progress(double fraction, std::string_view text) {
        const double done = fraction > 0 ? std::min(fraction, 1.0) : 0.0;
        // Not printf: a plugin may have set a locale with a decimal comma.
        char digits[16];
        const auto end =
            std::to_chars(digits, digits + sizeof digits, done, std::chars_format::fixed, 4).ptr;
        emit(R"({"type":"progress","fraction":)" + std::string(digits, end) + R"(,"text":)" +
             json_string(text) + '}');
    }

    void log(std::string_view level, std::string_view text) {
        emit(R"({"type":"log","level":)" + json_string(level) + R"(,"text":)" + json_string(text) +
             '}');
    }

    // Packets that belong to this check, so that a recording can say whose they are: `members` are
    // those of the message, without its braces and type; see docs/plugin-author/reference.md.
    void flow(std::string_view members) {
        std::string line = R"({"type":"flow",)";
        line += members;
        emit(line += '}');
    }

    // Null where the host has no such extension.
    template <class Extension>
    const Extension* extension(std::string_view id) const {
        return static_cast<const Extension*>(host_->extension(host_, {id.data(), id.size()}));
    }

private:
    void emit(std::string_view line) { host_->emit(host_, {line.data(), line.size()}); }

    const p2pdiag_host* host_;
    p2pdiag_str input_;
};

namespace detail {

// No exception may cross the boundary; what a body throws becomes `failed`, and its text the
// summary.
template <auto Body, int32_t failed>
int32_t guarded(const p2pdiag_host* host, p2pdiag_str input) noexcept {
    Run run(host, input);
    try {
        return static_cast<int32_t>(Body(run));
    } catch (const std::exception& problem) {
        run.summary(std::string("threw an exception: ") + problem.what());
    } catch (...) {
        run.summary("threw something that is not a std::exception");
    }
    return failed;
}

// Null for a body that is not there.
template <auto Body>
consteval auto guarded_or_null() -> int32_t (*)(const p2pdiag_host*, p2pdiag_str) {
    if constexpr (std::is_null_pointer_v<decltype(Body)>) {
        return nullptr;
    } else {
        return &guarded<Body, P2PDIAG_ERROR>;
    }
}

// A day at most: what is more, or negative, does not compile.
consteval uint32_t milliseconds(std::chrono::milliseconds deadline) {
    if (deadline.count() < 0 || deadline > std::chrono::hours(24)) throw "a deadline out of range";
    return static_cast<uint32_t>(deadline.count());
}

// Exit code of a verb that went wrong inside (DESIGN: 4 = internal or plugin error).
inline constexpr int32_t verb_failed = 4;

}  // namespace detail

struct CheckInfo {
    const char* id;
    const char* title;
    std::span<const p2pdiag_str> needs = {};
    bool deep = false;
    std::chrono::milliseconds deadline{0};
    uint32_t privileges = 0;
};

// A check from `p2pdiag_status Body(Run&)`.
template <auto Body>
consteval p2pdiag_check check(CheckInfo info) {
    return {.struct_size = sizeof(p2pdiag_check),
            .privileges = info.privileges,
            .id = literal(info.id),
            .title = literal(info.title),
            .needs = info.needs.data(),
            .needs_count = static_cast<uint32_t>(info.needs.size()),
            .deep = info.deep ? 1U : 0U,
            .deadline_ms = detail::milliseconds(info.deadline),
            .reserved = 0,
            .run = &detail::guarded<Body, P2PDIAG_ERROR>};
}

struct VerbInfo {
    const char* name;
    const char* summary;
    const char* schema = "{}";
};

// A verb from `int Body(Run&)`, which returns the exit code.
template <auto Body>
consteval p2pdiag_verb verb(VerbInfo info) {
    return {.struct_size = sizeof(p2pdiag_verb),
            .reserved = 0,
            .name = literal(info.name),
            .summary = literal(info.summary),
            .schema = literal(info.schema),
            .run = &detail::guarded<Body, detail::verb_failed>};
}

struct ChangeInfo {
    const char* id;
    const char* title;
    uint32_t privileges = 0;
};

// A change from five functions `p2pdiag_status Body(Run&)`; without Keep it cannot be kept up.
template <auto Plan, auto Apply, auto Verify, auto Revert, auto Keep = nullptr>
consteval p2pdiag_change change(ChangeInfo info) {
    return {.struct_size = sizeof(p2pdiag_change),
            .privileges = info.privileges,
            .id = literal(info.id),
            .title = literal(info.title),
            .plan = &detail::guarded<Plan, P2PDIAG_ERROR>,
            .apply = &detail::guarded<Apply, P2PDIAG_ERROR>,
            .verify = &detail::guarded<Verify, P2PDIAG_ERROR>,
            .revert = &detail::guarded<Revert, P2PDIAG_ERROR>,
            .keep = detail::guarded_or_null<Keep>()};
}

struct RecorderInfo {
    const char* id;
    const char* title;
    uint32_t privileges = 0;
};

// A recorder from `p2pdiag_status Body(Run&)`.
template <auto Body>
consteval p2pdiag_recorder recorder(RecorderInfo info) {
    return {.struct_size = sizeof(p2pdiag_recorder),
            .privileges = info.privileges,
            .id = literal(info.id),
            .title = literal(info.title),
            .run = &detail::guarded<Body, P2PDIAG_ERROR>};
}

struct PluginInfo {
    const char* id;
    const char* version;
    const char* summary;
    std::span<const p2pdiag_check* const> checks = {};
    std::span<const p2pdiag_verb* const> verbs = {};
    std::span<const p2pdiag_change* const> changes = {};
    std::span<const p2pdiag_recorder* const> recorders = {};
    const char* options = "[]";
    // The oldest host that it works with. Lower it for a plugin that asks for what is newer.
    uint16_t abi_minor = P2PDIAG_ABI_MINOR;
};

consteval p2pdiag_plugin plugin(PluginInfo info) {
    return {.struct_size = sizeof(p2pdiag_plugin),
            .abi_major = P2PDIAG_ABI_MAJOR,
            .abi_minor = info.abi_minor,
            .id = literal(info.id),
            .version = literal(info.version),
            .summary = literal(info.summary),
            .options = literal(info.options),
            .checks = info.checks.data(),
            .verbs = info.verbs.data(),
            .check_count = static_cast<uint32_t>(info.checks.size()),
            .verb_count = static_cast<uint32_t>(info.verbs.size()),
            .changes = info.changes.data(),
            .change_count = static_cast<uint32_t>(info.changes.size()),
            .recorder_count = static_cast<uint32_t>(info.recorders.size()),
            .recorders = info.recorders.data()};
}

}  // namespace p2pdiag

// The one symbol that a plugin exports: P2PDIAG_PLUGIN(.id = "hello", .version = "0.1.0", …)
#define P2PDIAG_PLUGIN(...)                                                                   \
    extern "C" __attribute__((visibility("default"))) const p2pdiag_plugin p2pdiag_plugin_v1; \
    constinit const p2pdiag_plugin p2pdiag_plugin_v1 = p2pdiag::plugin({__VA_ARGS__})
