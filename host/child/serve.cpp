#include "child/serve.hpp"

#include <p2pdiag/abi.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <mutex>

#include "base/fd.hpp"
#include "child/group.hpp"
#include "child/table.hpp"
#include "report/text.hpp"

namespace p2pdiag::child {

namespace {

void tell(int fd, std::string_view bytes) {
    // The host is gone or has closed its end: there is nobody left to tell.
    if (!write_all(fd, bytes)) ::_exit(1);
}

std::string read_all(int fd) {
    std::string content;
    std::array<char, 16384> buffer;
    for (ssize_t got; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return content;
}

// Lines from several threads of a plugin must not mix.
void emit_result_line(std::string_view line) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::string whole(line);
    // Within a JSON string there is none.
    std::ranges::replace(whole, '\n', ' ');
    whole += '\n';
    tell(result_fd, whole);
}

// The same, and returns when the host has dealt with the line: what a change handed over is in the
// journal before it goes on.
void emit_acknowledged_line(std::string_view line) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    emit_result_line(line);
    char byte = 0;
    ssize_t got = 0;
    do {
        got = ::read(acknowledge_fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    // The host died before it had written that down: nothing may be done that nobody knows of.
    if (got != 1) ::_exit(1);
}

// The child dies with the host, and leaves no core: its memory may hold keys.
void tie_to_parent() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A host that died before that line has let go of the other end of this pipe.
    pollfd cancelled{cancel_fd, POLLIN, 0};
    if (::poll(&cancelled, 1, 0) > 0 && (cancelled.revents & POLLHUP) != 0) ::_exit(1);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
}

const void* no_extension(const p2pdiag_host*, p2pdiag_str) { return nullptr; }

struct HostSide {
    p2pdiag_host table{};
    Emit emit;

    HostSide(int cancel, std::int64_t deadline_ns, Emit how) : emit(std::move(how)) {
        table.struct_size = sizeof table;
        table.abi_minor = P2PDIAG_ABI_MINOR;
        table.context = this;
        table.cancel_fd = cancel;
        table.deadline_ns = deadline_ns;
        table.emit = [](const p2pdiag_host* host, p2pdiag_str line) {
            static_cast<HostSide*>(host->context)->emit(text(line));
        };
        table.extension = no_extension;
    }
};

std::int64_t number(const char* digits) {
    const std::string_view view(digits);
    std::int64_t value = 0;
    std::from_chars(view.begin(), view.end(), value);
    return value;
}

const p2pdiag_check* find_check(const p2pdiag_plugin& plugin, std::string_view id) {
    for (std::uint32_t i = 0; i < plugin.check_count; ++i) {
        if (text(plugin.checks[i]->id) == id) return plugin.checks[i];
    }
    return nullptr;
}

// A function of a change by its name in abi.h; null where there is none.
using Function = int32_t (*)(const p2pdiag_host* host, p2pdiag_str input);
Function find_function(const p2pdiag_plugin& plugin, std::string_view id, std::string_view name) {
    for (const p2pdiag_change* change : changes_of(plugin)) {
        if (text(change->id) != id) continue;
        if (name == "plan") return change->plan;
        if (name == "apply") return change->apply;
        if (name == "verify") return change->verify;
        if (name == "revert") return change->revert;
        if (name == "keep") return change->keep;
    }
    return nullptr;
}

int say_error(const Emit& emit, std::string_view why) {
    emit(json::to_text(json::object{{"type", "summary"}, {"text", why}}));
    return P2PDIAG_ERROR;
}

int run_change(const char* file, std::string_view id, std::string_view function,
               std::int64_t deadline_ns) {
    const Table table = reopen_table(file);
    if (!table) return say_error(emit_result_line, table.error().reason);
    const Function found = find_function(**table, id, function);
    if (found == nullptr) return say_error(emit_result_line, "the change is gone from its plugin");
    const std::string input = read_all(input_fd);
    HostSide host(cancel_fd, deadline_ns, emit_acknowledged_line);
    return found(&host.table, {input.data(), input.size()});
}

void emit_returned(int status) { emit_result_line(returned_line(status)); }

int run_recorder(const char* file, std::string_view id, const std::string& input) {
    const Table table = reopen_table(file);
    if (!table) return say_error(emit_result_line, table.error().reason);
    HostSide host(cancel_fd, 0, emit_result_line);
    for (const p2pdiag_recorder* recorder : recorders_of(**table)) {
        if (text(recorder->id) == id)
            return recorder->run(&host.table, {input.data(), input.size()});
    }
    return say_error(emit_result_line, "the recorder is gone from its plugin");
}

int run_verb(const char* file, std::string_view name, const std::string& arguments) {
    const Table table = reopen_table(file);
    if (!table) {
        const std::string complaint = "p2pdiag: " + table.error().reason + '\n';
        tell(STDERR_FILENO, complaint);
        return 4;
    }
    HostSide host(-1, 0, [](std::string_view line) {
        const auto message = json::parse(line);
        if (!message || !message->is_object()) return;
        const json::object& object = message->get_object();
        // A verb talks to the terminal itself; what it tells the host is meant for the person as
        // well.
        for (const std::string_view member : {"message", "text"}) {
            if (const auto said = json::find_string(object, member)) {
                tell(STDERR_FILENO, report::single_line(*said, true) + '\n');
            }
        }
    });
    for (std::uint32_t i = 0; i < (*table)->verb_count; ++i) {
        const p2pdiag_verb& verb = *(*table)->verbs[i];
        if (text(verb.name) == name)
            return verb.run(&host.table, {arguments.data(), arguments.size()});
    }
    return 4;
}

}  // namespace

bool is_child_word(std::string_view word) {
    return word == describe_word || word == check_word || word == change_word ||
           word == record_word || word == verb_word;
}

std::string returned_line(int status) {
    return json::to_text(json::object{{"type", returned_type}, {"status", status}});
}

json::object describe(const std::filesystem::path& file) {
    const Table table = open_table(file);
    if (table) return to_json(**table);
    return {{"type", "rejected"}, {"reason", table.error().reason}};
}

int run_check(const std::filesystem::path& file, std::string_view id, std::string_view input,
              int cancel, std::int64_t deadline_ns, const Emit& emit) {
    const Table table = reopen_table(file);
    const p2pdiag_check* check = table ? find_check(**table, id) : nullptr;
    if (check == nullptr) {
        return say_error(emit, table ? "the check is gone from its plugin" : table.error().reason);
    }
    HostSide host(cancel, deadline_ns, emit);
    return check->run(&host.table, {input.data(), input.size()});
}

void serve(int argc, char** argv) {
    tie_to_parent();
    const std::string_view word = argv[1];
    if (word == describe_word && argc == 3) {
        emit_result_line(json::to_text(describe(argv[2])));
        ::_exit(0);
    }
    if (word == check_word && argc == 5) {
        const std::string input = read_all(input_fd);
        const int status =
            run_check(argv[2], argv[3], input, cancel_fd, number(argv[4]), emit_result_line);
        emit_returned(status);
        ::_exit(0);
    }
    if (word == change_word && argc == 6) {
        emit_returned(run_change(argv[2], argv[3], argv[4], number(argv[5])));
        ::_exit(0);
    }
    if (word == record_word && argc == 4) {
        emit_returned(run_recorder(argv[2], argv[3], read_all(input_fd)));
        ::_exit(0);
    }
    if (word == verb_word && argc == 4) {
        const int code = run_verb(argv[2], argv[3], read_all(input_fd));
        ::fflush(stdout);
        ::_exit(code);
    }
    tell(STDERR_FILENO, "p2pdiag: this command is for p2pdiag itself\n");
    ::_exit(2);
}

}  // namespace p2pdiag::child
