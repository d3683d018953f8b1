// A correct plugin whose change puts files into a folder, BOX_DIR. The environment tells it how to
// go wrong: BOX_APPLY=crash, or BOX_APPLY=crash:b for the file "b" alone. BOX_CONTINUES is the id
// of the record that its steps go on with. Every call is a line in BOX_DIR/.log. Its check misses
// the files of BOX_WANTED, "a,b"; with BOX_CHECK=blind it finds none.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <p2pdiag/plugin.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string path_of(const std::string& name) { return environment("BOX_DIR") + '/' + name; }

// What is to go wrong with the file `name`, or nothing.
std::string mischief(const char* variable, const std::string& name) {
    const std::string wish = environment(variable);
    const std::size_t colon = wish.find(':');
    if (colon == wish.npos) return wish;
    return wish.substr(colon + 1) == name ? wish.substr(0, colon) : "";
}

void log_call(const std::string& function, const std::string& name) {
    std::ofstream(path_of(".log"), std::ios::app) << function + ' ' + name + '\n';
}

int count_calls(const std::string& line) {
    std::ifstream log(path_of(".log"));
    int count = 0;
    for (std::string seen; std::getline(log, seen);) count += seen == line ? 1 : 0;
    return count;
}

// The strings of the input's first `"key":"…"` or `"key":["…","…"]`. Names here hold nothing that
// JSON escapes.
std::vector<std::string> strings(std::string_view input, const std::string& key) {
    std::vector<std::string> found;
    std::size_t at = input.find('"' + key + "\":");
    if (at == input.npos) return found;
    at += key.size() + 3;
    const std::size_t end = input[at] == '[' ? input.find(']', at) : input.find_first_of(",}", at);
    for (at = input.find('"', at); at < end; at = input.find('"', at)) {
        const std::size_t close = input.find('"', at + 1);
        found.emplace_back(input.substr(at + 1, close - at - 1));
        at = close + 1;
    }
    return found;
}

std::string step_name(p2pdiag::Run& run) {
    const std::string_view input = run.input();
    return strings(input.substr(input.find("\"step\":")), "name").at(0);
}

void wait_for_cancel(p2pdiag::Run& run) {
    pollfd cancelled{run.cancel_fd(), POLLIN, 0};
    ::poll(&cancelled, 1, -1);
}

[[noreturn]] void crash() {
    ::signal(SIGABRT, SIG_DFL);
    std::abort();
}

// The host stops before it can write down what is handed over, and is killed a while later. Nothing
// else ends us then.
void lose_host() {
    ::prctl(PR_SET_PDEATHSIG, 0);
    const pid_t host = ::getppid();
    ::kill(host, SIGSTOP);
    if (::fork() != 0) return;
    ::usleep(300'000);
    ::kill(host, SIGKILL);
    ::_exit(0);
}

// Nothing when there is nothing that goes wrong in a way every function knows.
p2pdiag_status common(p2pdiag::Run& run, const std::string& how) {
    if (how == "crash") crash();
    if (how == "kill-host") ::kill(::getppid(), SIGKILL);
    if (how == "stubborn" || how == "kill-host") {
        for (;;) ::pause();
    }
    if (how == "hang") {
        wait_for_cancel(run);
        return P2PDIAG_ERROR;
    }
    run.summary("as " + how + " was wished for");
    if (how == "fail") return P2PDIAG_FAIL;
    if (how == "unknown") return P2PDIAG_UNKNOWN;
    if (how == "error") return P2PDIAG_ERROR;
    if (how == "skip") return P2PDIAG_SKIP;
    if (how == "warn") return P2PDIAG_WARN;
    return P2PDIAG_STATUS_INVALID;
}

p2pdiag_status plan(p2pdiag::Run& run) {
    const auto names = strings(run.input(), "name");
    const std::string how =
        names.empty() ? environment("BOX_PLAN") : mischief("BOX_PLAN", names.front());
    run.finding("net.port-in-use", p2pdiag::Severity::warning, "said while planning");
    if (how == "no-steps") return P2PDIAG_PASS;
    if (how == "bad-arguments") {
        run.data(R"({"bad_arguments":true})");
        return common(run, "fail");
    }
    if (how == "half-a-step") {
        run.data(R"({"steps":[{"title":"Half a step","step":{}}]})");
        return P2PDIAG_PASS;
    }
    std::string steps;
    for (const std::string& name : names) {
        const std::string text = p2pdiag::json_string(name);
        steps += steps.empty() ? "" : ",";
        steps += R"({"title":"Put \u001b[31m)" + name +
                 R"( into the box","undo":"remove it","match":{"name":)" + text +
                 R"(,"count":7},"step":{"name":)" + text + "}";
        const std::string earlier = environment("BOX_CONTINUES");
        steps += earlier.empty() ? "}" : R"(,"continues":")" + earlier + R"("})";
    }
    run.data(R"({"steps":[)" + steps + R"(],"notes":["a note"]})");
    if (!how.empty()) return common(run, how);
    return P2PDIAG_PASS;
}

p2pdiag_status apply(p2pdiag::Run& run) {
    const std::string name = step_name(run);
    const std::string how = mischief("BOX_APPLY", name);
    const bool goes_on = run.input().find(R"("record":{)") != std::string_view::npos;
    log_call(goes_on ? "go on with" : "apply", name);
    if (how == "early-crash") crash();
    if (how == "lose-host") {
        log_call("process", std::to_string(::getpid()));
        lose_host();
    }
    run.data(R"({"stage":"begun"})");
    std::ofstream(path_of(name)) << strings(run.input(), "id").at(0);
    if (!how.empty()) return common(run, how);
    run.data(R"({"stage":"done"})");
    run.summary(name + " is in");
    return P2PDIAG_PASS;
}

p2pdiag_status verify(p2pdiag::Run& run) {
    const std::string name = step_name(run);
    const std::string how = mischief("BOX_VERIFY", name);
    log_call("verify", name);
    if (how == "again" || how == "again-in-vain") {
        if (how == "again" && count_calls("apply " + name) > 1) return P2PDIAG_PASS;
        run.data(R"({"again":true})");
        run.summary("not this time");
        return P2PDIAG_FAIL;
    }
    if (how == "in-part") {
        run.data(R"({"works_in_part":true})");
        return common(run, "fail");
    }
    if (!how.empty()) return common(run, how);
    run.summary(name + " lies there");
    return P2PDIAG_PASS;
}

// Until BOX_DIR/.go is there; false when it was asked to stop before.
bool wait_for_go(p2pdiag::Run& run) {
    while (::access(path_of(".go").c_str(), F_OK) != 0) {
        if (run.cancelled()) return false;
        ::usleep(10'000);
    }
    return true;
}

p2pdiag_status revert(p2pdiag::Run& run) {
    const std::string name = step_name(run);
    std::string how = mischief("BOX_REVERT", name);
    log_call("revert", name);
    if (how == "wait") how = wait_for_go(run) ? "" : "error";
    if (!how.empty()) return common(run, how);
    std::remove(path_of(name).c_str());
    return P2PDIAG_PASS;
}

p2pdiag_status keep(p2pdiag::Run& run) {
    const std::string name = step_name(run);
    const std::string how = mischief("BOX_KEEP", name);
    log_call("keep", name);
    run.data(R"({"stage":"kept"})");
    run.summary(name + " is watched");
    if (!how.empty()) return common(run, how);
    wait_for_cancel(run);
    return P2PDIAG_PASS;
}

// A finding "box.missing-NAME" for each.
p2pdiag_status look(p2pdiag::Run& run) {
    log_call("look", "");
    std::istringstream wanted(environment("BOX_WANTED"));
    bool complete = true;
    for (std::string name; std::getline(wanted, name, ',');) {
        const bool there = ::access(path_of(name).c_str(), F_OK) == 0;
        if (there && environment("BOX_CHECK") != "blind") continue;
        run.finding("box.missing-" + name, p2pdiag::Severity::error, name + " is not in the box");
        complete = false;
    }
    if (environment("BOX_CHECK") == "hang") wait_for_cancel(run);
    if (environment("BOX_CHECK") == "firewall-unseen")
        run.finding("firewall.not-visible", p2pdiag::Severity::info, "The firewall: ask root.");
    return complete ? P2PDIAG_PASS : P2PDIAG_FAIL;
}

int list(p2pdiag::Run& run) {
    std::fwrite(run.input().data(), 1, run.input().size(), stdout);
    return 0;
}

// Its input is its data.
p2pdiag_status repeat_input(p2pdiag::Run& run) {
    run.data(run.input());
    return P2PDIAG_PASS;
}

constexpr p2pdiag_change put = p2pdiag::change<plan, apply, verify, revert, keep>(
    {.id = "box.put", .title = "Put things into the box"});
constexpr p2pdiag_change drop =
    p2pdiag::change<plan, apply, verify, revert>({.id = "box.drop", .title = "Not to be kept up"});
constexpr const p2pdiag_change* changes[] = {&put, &drop};

constexpr p2pdiag_verb box =
    p2pdiag::verb<list>({.name = "box", .summary = "A box", .schema = R"({"commands":[
    {"name":"list","summary":"Print the arguments"},
    {"name":"put","summary":"Put files in","change":"box.put",
     "options":[{"name":"name","type":"string","repeat":true,"required":true},
                {"name":"count","type":"integer","default":7}]},
    {"name":"drop","summary":"Put files in","change":"box.drop",
     "options":[{"name":"name","type":"string","repeat":true,"required":true}]},
    {"name":"take","summary":"Take files out","undo":"box.put",
     "options":[{"name":"name","type":"string"},{"name":"count","type":"integer","default":3},
                {"name":"other","type":"string"}]}]})"});
constexpr const p2pdiag_verb* verbs[] = {&box};

constexpr p2pdiag_check content =
    p2pdiag::check<look>({.id = "box.content", .title = "What is in the box"});
constexpr p2pdiag_check look_into =
    p2pdiag::check<repeat_input>({.id = "box.look", .title = "What a check is told", .deep = true});
constexpr const p2pdiag_check* checks[] = {&content, &look_into};

}  // namespace

P2PDIAG_PLUGIN(.id = "box", .version = "1.0", .summary = "Puts files into a folder",
               .checks = checks, .verbs = verbs, .changes = changes);
