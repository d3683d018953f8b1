// A journal in a folder of its own, and a plugin whose functions answer as they are told.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "change/execution.hpp"
#include "folder.hpp"

namespace p2pdiag {

// What one call of a function does. Without one it passes.
struct Answer {
    report::Status status = report::Status::pass;
    std::string summary = {};
    std::vector<json::object> data = {};   // handed over one after the other
    std::function<void()> meanwhile = {};  // after the data
    int interrupts = 0;                    // how often the person presses Ctrl-C meanwhile
};

class FakeCaller : public change::Caller {
public:
    std::map<std::string, std::deque<Answer>> answers;  // "apply a", or "plan"
    std::vector<std::string> calls;                     // the same, in the order they came
    std::vector<json::object> inputs;
    bool stopped = false;  // the host no longer wanted to hear
    int pressed = 0;

    std::vector<report::CheckResult> run(std::vector<change::Call> all) override {
        std::vector<report::CheckResult> results;
        for (const change::Call& call : all) results.push_back(one(call));
        return results;
    }
    int interrupts() override { return pressed; }

private:
    report::CheckResult one(const change::Call& call) {
        std::string name = call.function;
        if (const json::object* step = json::find_object(call.input, "step")) {
            name += ' ' + std::string(json::find_string(*step, "name").value_or(""));
        }
        calls.push_back(name);
        inputs.push_back(call.input);
        Answer answer;
        if (auto& waiting = answers[name]; !waiting.empty()) {
            answer = waiting.front();
            waiting.pop_front();
        }
        report::CheckResult result;
        for (const json::object& data : answer.data) {
            if (call.on_data && !call.on_data(data)) stopped = true;
            result.data = data;
        }
        if (answer.meanwhile) answer.meanwhile();
        pressed += answer.interrupts;
        result.plugin = call.plugin->id;
        result.id = call.change->id;
        result.status = answer.status;
        result.summary = answer.summary;
        return result;
    }
};

struct Fixture {
    Folder folder;
    std::filesystem::path directory = folder.path() / "state" / "changes";
    change::Journal journal{directory};
    FakeCaller caller;
    loader::Plugins plugins = make_plugins();
    change::Target target{&plugins.loaded[0], &plugins.loaded[0].changes[0], {{"target", 1}}};

    static loader::Plugins make_plugins() {
        loader::Plugins all;
        loader::Plugin plugin;
        plugin.id = "p";
        plugin.version = "2.0";
        plugin.changes.push_back(
            {.id = "p.change", .title = "A change", .privileges = 0, .keeps = true});
        all.loaded.push_back(std::move(plugin));
        return all;
    }

    static change::Step step(const std::string& name) {
        return {.title = "Do " + name,
                .undo = "undo " + name,
                .match = {{"name", name}, {"port", 7}},
                .step = {{"name", name}}};
    }

    static std::vector<change::Step> steps(const std::vector<std::string>& names) {
        std::vector<change::Step> all;
        for (const std::string& name : names) all.push_back(step(name));
        return all;
    }

    // Carries out steps of these names; what became of them.
    change::Executed carry_out(const std::vector<std::string>& names, bool keep = false) {
        return carry_out_steps(steps(names), keep);
    }
    change::Executed carry_out_steps(const std::vector<change::Step>& all, bool keep = false) {
        change::Execution execution(journal, caller, target, all, {});
        execution.apply();
        if (keep) execution.keep();
        return execution.result();
    }

    // "a applied", newest first.
    std::vector<std::string> states() const {
        std::vector<std::string> all;
        for (const change::Record& record : journal.read().records) {
            all.push_back(std::string(json::find_string(record.step, "name").value_or("?")) + ' ' +
                          std::string(to_string(record.state)));
        }
        return all;
    }
};

using Strings = std::vector<std::string>;

}  // namespace p2pdiag
