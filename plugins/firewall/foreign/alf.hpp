// macOS' application firewall, as /usr/libexec/ApplicationFirewall/socketfilterfw tells its
// settings. It knows programs and no ports.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/ways.hpp"

namespace p2pdiag::firewall::macos {

struct App {
    std::string name;  // a path, of a program or a bundle ("…/Chat.app"), or a bundle's identifier
    bool allowed = false;
};

// Absent is what the text does not tell.
struct ApplicationFirewall {
    std::optional<bool> on;
    std::optional<bool> blocks_all;
    std::optional<bool> stealth;
    std::optional<bool> allows_built_in;    // signed programs that came with macOS
    std::optional<bool> allows_downloaded;  // signed programs of other makers
    std::optional<std::vector<App>> apps;   // --listapps
    bool apps_cut = false;                  // fewer or others than were announced
};

// Takes the line if it is one of socketfilterfw's. Apps have two lines.
class AlfReader {
public:
    bool take(std::string_view line);
    // Nothing when there was no such line.
    std::optional<ApplicationFirewall> finish();

private:
    bool take_setting(const std::string& line);
    bool take_app(std::string_view line);

    ApplicationFirewall firewall_;
    bool any_ = false;
    std::optional<std::size_t> announced_;
    std::string app_;  // whose second line is to come
};

// How a first packet from outside ends at the application firewall. Answers pass it always.
// `program`: the path of the one that listens, where it is known.
std::vector<foreign::End> ends_of(const ApplicationFirewall& firewall, const Packet& packet,
                                  const std::optional<std::string>& program, foreign::Ways& ways);

}  // namespace p2pdiag::firewall::macos
