// Runs the recorder of a plugin beside a run: in a child of its own, from before the first check to
// after the last.
#pragma once

#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "child/group.hpp"
#include "loader/loader.hpp"
#include "report/report.hpp"
#include "runner/collector.hpp"

namespace p2pdiag::runner {

// How long the first check waits for the recorder at most; what is seen later is recorded later.
inline constexpr Milliseconds recorder_start{5000};
// For writing the file, once it was told to end.
inline constexpr Milliseconds recorder_grace{15'000};

class Recorder {
public:
    using OnLog = std::function<void(const LogLine&)>;

    // It writes into `file`, a descriptor of the caller's not below 10. `plugin` and `recorder`
    // must outlive this.
    Recorder(const loader::Plugin& plugin, const loader::Recorder& recorder, int file,
             OnLog on_log);

    // Returns once it records, has ended, or has had its time. `input` is what every check gets;
    // what is a recorder's own is added. `interrupted` is asked now and then.
    void start(json::object input, const std::function<bool()>& interrupted);
    bool recording() const { return recording_; }

    // To be called now and then while the checks run: a recorder that says much must not wait for
    // somebody to listen.
    void look() { group_.look(); }

    // Told to the recorder, which reads it when it ends: what the checks say of their packets, and
    // when each began and ended.
    void note_started(std::string_view check);
    void note_finished(std::string_view check);
    void note_flow(const FlowLine& line);

    // Asks it to end, and waits until the file is written. `give_up` is asked now and then; true
    // ends it by force.
    report::CheckResult finish(const std::function<bool()>& give_up);
    // Ends it by force; nobody wants the file.
    void discard();

private:
    void note(json::object line);

    const loader::Plugin& plugin_;
    const loader::Recorder& recorder_;
    int file_;
    Fd notes_;
    std::size_t noted_bytes_ = 0;
    TimePoint started_;
    child::Group group_;
    Collector collector_;
    bool recording_ = false;
    bool ended_ = false;
    child::Exit exit_;
};

}  // namespace p2pdiag::runner
