// What goes on while a change is planned, made, kept up or taken back, for somebody who watches.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "change/caller.hpp"

namespace p2pdiag::change {

struct Events {
    // `title`: of the step, or of the change while it is planned.
    std::function<void(std::string_view function, const std::string& title)> on_begin = {};
    // A log line, or with function "keep" also a new summary (level "info").
    std::function<void(std::string_view function, const std::string& title,
                       const runner::LogLine& line)>
        on_said = {};

    void begin(std::string_view function, const std::string& title) const;
    runner::Listeners listeners(const std::string& function, const std::string& title) const;
};

}  // namespace p2pdiag::change
