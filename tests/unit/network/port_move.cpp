// The change network.port: one line of the user's file, and every other byte as it was.
#include "port_move.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using Catch::Matchers::Contains;

namespace {

const std::string path = "/home/u/.config/p2pdiag/config.toml";

ConfigFile config_at(std::optional<ConfigFile::Place> port, bool exists = true) {
    ConfigFile config;
    config.file = path;
    config.exists = exists;
    config.port = port;
    return config;
}

ConfigFile with_section(unsigned line) {
    ConfigFile config = config_at(std::nullopt);
    config.section = line;
    return config;
}

PortEdit edit_of(const ConfigFile& config, std::string_view text) {
    const auto edit = edit_for(config, text, 8001);
    REQUIRE(edit);
    const auto read = parse_edit(json::parse(json::to_text(to_json(*edit)))->get_object());
    REQUIRE(read);
    CHECK(to_json(*read) == to_json(*edit));
    return *read;
}

std::string free_from(std::uint16_t port, std::uint16_t first) {
    return port < first ? "UDP by IPv4: Address already in use" : "";
}

MoveWanted wanted(std::uint16_t from, std::optional<std::uint16_t> to = std::nullopt) {
    return {from, to, config_at(std::nullopt, false)};
}

Judgement move(const MoveWanted& what, std::uint16_t first_free = 1,
               const ConfigText& file = ConfigText()) {
    return plan_move(what, file, [&](std::uint16_t port) { return free_from(port, first_free); });
}

}  // namespace

TEST_CASE("one line is changed, and put back byte by byte") {
    struct Sample {
        ConfigFile config;
        std::string before;
        std::string after;
    };
    const Sample samples[] = {
        {config_at({{2, 9, 4}}), "[target]\n  port = 8000   # mine\r\n[run]\ndeep = true",
         "[target]\n  port = 8001   # mine\r\n[run]\ndeep = true"},
        {config_at({{1, 14, 6}}), "target.port = 0x1F40", "target.port = 8001"},
        {config_at({{1, 18, 5}}), "target = { port = 8_000, peer = \"h:1\" }\n",
         "target = { port = 8001, peer = \"h:1\" }\n"},
        {with_section(2), "# \xC3\xBC\n[target]\npeer = \"h:1\"\n",
         "# \xC3\xBC\n[target]\nport = 8001\npeer = \"h:1\"\n"},
        {with_section(1), "[target]", "[target]\nport = 8001\n"},
        {config_at(std::nullopt), "[run]\ndeep = true",
         "[run]\ndeep = true\n\n[target]\nport = 8001\n"},
        {config_at(std::nullopt), "[run]\n", "[run]\n\n[target]\nport = 8001\n"},
        {config_at(std::nullopt), "", "[target]\nport = 8001\n"},
        {config_at(std::nullopt, false), "", "[target]\nport = 8001\n"},
    };
    for (const Sample& sample : samples) {
        CAPTURE(sample.before);
        const PortEdit edit = edit_of(sample.config, sample.before);
        CHECK(edit.creates != sample.config.exists);
        CHECK_FALSE(is_applied(edit, sample.before));
        const auto after = applied(edit, sample.before);
        REQUIRE(after);
        CHECK(*after == sample.after);
        CHECK(is_applied(edit, *after));
        CHECK(reverted(edit, *after, std::nullopt) == sample.before);
        // It was begun, and never done.
        CHECK_FALSE(reverted(edit, sample.before, std::nullopt));
    }
}

TEST_CASE("a file that is not what the host has seen is left alone") {
    CHECK_FALSE(edit_for(config_at({{9, 0, 4}}), "[target]\n", 8001));
    CHECK_FALSE(edit_for(config_at({{1, 5, 9}}), "[target]\n", 8001));
    CHECK_FALSE(edit_for(config_at({{1, 0, 8}}), "[target]\n", 8001));
    CHECK_FALSE(edit_for(with_section(2), "[target]\npeer = 1\n", 8001));
    ConfigFile other = config_at(std::nullopt);
    other.other_form = true;
    CHECK_FALSE(edit_for(other, "target.peer = \"h:1\"\n", 8001));

    const PortEdit edit = edit_of(config_at({{2, 7, 4}}), "[target]\nport = 8000\n");
    CHECK_FALSE(applied(edit, "[target]\nport = 9000\n"));
    CHECK_FALSE(applied(edit, ""));
    const PortEdit append = edit_of(config_at(std::nullopt), "[run]\n");
    CHECK_FALSE(applied(append, "[run]\ndeep = true\n"));
}

TEST_CASE("in a file that somebody edited since, our line alone is put back") {
    const PortEdit edit = edit_of(config_at({{2, 7, 4}}), "[target]\nport = 8000 # a\n");
    // Behind it.
    CHECK(reverted(edit, "[target]\nport = 8001 # a\n[run]\n", std::nullopt) ==
          "[target]\nport = 8000 # a\n[run]\n");
    // Before it: the host says where the port is now.
    const std::string moved = "[run]\ndeep = true\n[target]\nport = 8001 # a\n";
    CHECK(reverted(edit, moved, {{4, 7, 4}}) == "[run]\ndeep = true\n[target]\nport = 8000 # a\n");
    // The same line elsewhere is not ours.
    CHECK_FALSE(reverted(edit, moved, std::nullopt));
    CHECK_FALSE(
        reverted(edit, "[target]\nport = 9000\n[plugins.x]\nport = 8001 # a\n", {{2, 7, 4}}));
    // Another port, or another comment: somebody has made it theirs.
    CHECK_FALSE(reverted(edit, "[target]\nport = 8002 # a\n", {{2, 7, 4}}));
    CHECK_FALSE(reverted(edit, "", std::nullopt));

    // More was written into a section that we began: it stays.
    const PortEdit append = edit_of(config_at(std::nullopt), "[run]\n");
    CHECK(reverted(append, "[run]\n\n[target]\nport = 8001\npeer = \"h:1\"\n", std::nullopt) ==
          "[run]\n\n[target]\npeer = \"h:1\"\n");
    CHECK(reverted(append, "[run]\n\n[target]\nport = 8001\n[servers]\n", std::nullopt) ==
          "[run]\n[servers]\n");
}

TEST_CASE("the next port that is free is planned, or the one that was named") {
    const auto to = [](const Judgement& plan) {
        return json::value(plan.data).at_pointer("/steps/0/step/to").to_number<int>();
    };
    Judgement plan = move(wanted(8000), 8003);
    CHECK(plan.status == P2PDIAG_PASS);
    CHECK(to(plan) == 8003);
    CHECK(to(move(wanted(8000, 9000))) == 9000);
    CHECK(to(move(wanted(65535))) == 1024);
    CHECK(to(move(wanted(80))) == 1024);
    const std::string text = json::to_text(plan.data);
    CHECK_THAT(text, Contains("Your program has to use port 8003 as well"));
    CHECK_THAT(text, Contains(path));
    CHECK(move(wanted(8000, 8000)).status == P2PDIAG_SKIP);
    plan = move(wanted(8000, 8001), 8003);
    CHECK(plan.status == P2PDIAG_FAIL);
    CHECK_THAT(plan.summary, Contains("Address already in use"));
    CHECK(move(wanted(8000), 65535).status == P2PDIAG_FAIL);
}

TEST_CASE("a change that would not help, or cannot be made, is not planned") {
    MoveWanted overridden = wanted(8000);
    overridden.config->overridden_by = "/x/lab.toml";
    CHECK(move(overridden).status == P2PDIAG_FAIL);
    CHECK_THAT(move(overridden).summary, Contains("/x/lab.toml"));
    MoveWanted nowhere = wanted(8000);
    nowhere.config.reset();
    CHECK(move(nowhere).status == P2PDIAG_FAIL);
    ConfigText foreign;
    foreign.problem = "belongs to another user";
    CHECK(move(wanted(8000), 1, foreign).summary == "belongs to another user");
    MoveWanted inline_form = wanted(8000);
    inline_form.config->other_form = inline_form.config->exists = true;
    ConfigText there;
    there.exists = true;
    CHECK_THAT(move(inline_form, 1, there).summary, Contains("by hand: port = 8001"));
    // It came or went since the host has looked.
    CHECK(move(wanted(8000), 1, there).status == P2PDIAG_FAIL);
}

TEST_CASE("an edit that was tampered with is refused") {
    const json::object made = to_json(edit_of(config_at(std::nullopt), "[run]\n"));
    const json::object good = json::parse(json::to_text(made))->get_object();
    REQUIRE(parse_edit(good));
    for (const auto& [key, value] : json::object{{"file", "config.toml"},
                                                 {"at", -1},
                                                 {"at", 1 << 30},
                                                 {"line", ""},
                                                 {"line", "port = 1"},
                                                 {"after", nullptr},
                                                 {"creates", 1}}) {
        json::object bad = good;
        bad[key] = value;
        CAPTURE(json::to_text(bad));
        CHECK_FALSE(parse_edit(bad));
    }
}
