#include "change/revert.hpp"

namespace p2pdiag::change {

using report::Status;

Reverted revert(Journal& journal, Caller& caller, const loader::Plugin& plugin,
                const loader::Change& change, const json::object& input, Record& record,
                const Events& events) {
    Reverted done;
    if (caller.interrupts() > 1) {
        done.said.status = Status::cancelled;
        done.said.summary = "not tried: interrupted a second time";
    } else {
        events.begin("revert", record.title);
        Call call{.plugin = &plugin, .change = &change, .function = "revert"};
        call.input = {
            {"id", record.id}, {"step", record.step}, {"record", record.record}, {"input", input}};
        call.deadline = revert_deadline;
        call.patient = true;
        call.listeners = events.listeners("revert", record.title);
        // What is gone already is not asked for again. Whatever comes of writing that down, the
        // rest is to be taken back all the same.
        call.on_data = [&](const json::object& left) {
            record.record = left;
            done.problem = journal.write(record);
            return true;
        };
        done.said = caller.run({std::move(call)}).front();
    }
    if (done.said.status == Status::pass) {
        record.state = State::undone;
        record.error.clear();
    } else {
        record.error = "taking it back: " + done.said.summary;
    }
    done.problem = journal.write(record);
    return done;
}

}  // namespace p2pdiag::change
