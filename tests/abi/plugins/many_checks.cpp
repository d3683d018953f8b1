// More checks than a process has descriptors for, if all ran at once.
#include <p2pdiag/plugin.hpp>

#include <array>

namespace {

constexpr std::size_t count = 120;

p2pdiag_status pass(p2pdiag::Run&) { return P2PDIAG_PASS; }
constexpr p2pdiag_check one = p2pdiag::check<pass>({.id = "many.x000", .title = "One of many"});

struct Checks {
    std::array<char[10], count> ids{};
    std::array<p2pdiag_check, count> checks{};
    std::array<const p2pdiag_check*, count> pointers{};

    constexpr Checks() {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t c = 0; c < 9; ++c) ids[i][c] = "many.x000"[c];
            ids[i][6] = static_cast<char>('0' + i / 100);
            ids[i][7] = static_cast<char>('0' + i / 10 % 10);
            ids[i][8] = static_cast<char>('0' + i % 10);
            checks[i] = one;
            checks[i].id = {ids[i], 9};
            pointers[i] = &checks[i];
        }
    }
};
constinit Checks all;

}  // namespace

P2PDIAG_PLUGIN(.id = "many", .version = "1.0", .summary = "x", .checks = all.pointers);
