// firewall allow, whatever the rules and files say: a plan that opens what was asked for and
// survives the journal, and lines that come out of a file as they went in.
#include "allow_file_edit.hpp"
#include "allow_plan.hpp"
#include "ask.hpp"
#include "firewall.hpp"
#include "iptables_save.hpp"
#include "nft_json.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr std::string_view id = "0123abcd";

void plan(Ruleset ruleset) {
    World world = fuzz::machine();
    world.interfaces.front().up = world.interfaces.front().carrier = true;
    world.rulesets.push_back(std::move(ruleset));
    const AllowPlan plan = make_allow_plan(world, {4000, {protocol_udp}, std::nullopt, false});
    fuzz::require(!plan.judgement.summary.empty());
    fuzz::require((plan.judgement.status == P2PDIAG_PASS) == !plan.steps.empty());
    for (const AllowStep& step : plan.steps) {
        fuzz::require(!step.aims.empty());
        fuzz::require_harmless(title_of(step));
        const auto text = json::parse(json::to_text(to_json(step)));
        // A chain may be called what no program should be handed.
        const auto back = parse_allow_step(text.value().get_object());
        fuzz::require(!back || (back->place == step.place && back->opening == step.opening));
    }
}

void edit(std::string_view text) {
    AllowStep step;
    step.opening = {4000, protocol_udp, std::nullopt};
    step.place = {"inet", "filter", "input", 0, 0, "drop", false};
    const bool has_ours = text.find(comment_of(id)) != std::string_view::npos;
    for (const std::int64_t handle : {0, 7}) {
        step.tool = Tool::nft;
        step.place.handle = handle;
        const Edited of_nft = add_nft_line(text, step, id);
        fuzz::require(!of_nft || has_ours || remove_lines(*of_nft, id) == text);
        step.tool = Tool::iptables_nft;
        step.place.line = handle;
        const Edited of_iptables = add_iptables_line(text, step, id);
        fuzz::require(!of_iptables || has_ours || remove_lines(*of_iptables, id) == text);
    }
    fuzz::require(has_ours || remove_lines(text, id) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (Reading nft = read_nft_json(text)) plan(std::move(*nft));
    if (Reading saved = read_iptables_save(text, Family::ipv4, Source::iptables_legacy)) {
        plan(std::move(*saved));
    }
    edit(text);
    return 0;
}
