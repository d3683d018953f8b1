#include <p2pdiag/plugin.hpp>

#include "lab.hpp"
#include "schema.hpp"

namespace {

constexpr p2pdiag_verb lab_verb = p2pdiag::verb<p2pdiag::lab::lab>(
    {.name = "lab",
     .summary = "Run anything behind a real NAT of any kind, in network namespaces",
     .schema = p2pdiag::lab::schema});
constexpr const p2pdiag_verb* verbs[] = {&lab_verb};

}  // namespace

P2PDIAG_PLUGIN(.id = "lab", .version = "0.1.0",
               .summary = "Networks with real NATs, made of Linux network namespaces",
               .verbs = verbs);
