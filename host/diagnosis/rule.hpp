// Rules of the diagnosis, as read from profiles/diagnosis/*.toml: which findings and results of
// checks make a cause, what follows from it, and what helps. Data, without any network in it.
// docs/user/diagnosis.md has the language.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// Where a part of a rule was written.
struct At {
    std::string file;
    unsigned line = 0;    // from 1
    unsigned column = 0;  // from 1
};

// What a value has to be. One that was not measured (absent or null) meets none of these but
// `measured` = false and is_not: nothing is assumed of it.
struct Test {
    std::string path;  // of members, "deciding_rule.owner"; of an array any element counts
    std::vector<json::value> one_of;  // any of them; numbers by value, "{port}" is the target port
    std::vector<json::value> is_not;  // none of them
    std::optional<double> above;
    std::optional<double> below;
    std::optional<double> at_least;
    std::optional<double> at_most;
    std::optional<bool> measured;
};

// Of a finding (`code` is set) or of a check alone.
struct Condition {
    At at;
    std::string code;
    std::optional<report::Severity> severity;  // that or a more serious one
    std::string check;                         // of a finding: who found it
    std::vector<report::Status> status;        // any of them; empty = any
    std::optional<bool> could_tell;            // false holds of a check that was not run as well
    std::vector<Test> tests;                   // of a finding's evidence, or of a check's data
};

// One way to come to a cause. A finding in `none` excludes it.
struct When {
    At at;
    double confidence = 0.0;               // above 0 to 1
    std::optional<report::Impact> impact;  // instead of the cause's
    bool overcome = false;  // what it breaks works all the same: nothing is to be done
    std::vector<Condition> all;
    std::vector<Condition> any;  // where there are some, one of them
    std::vector<Condition> none;
};

// A check without whose result the cause is not certain.
struct Need {
    At at;
    std::string check;
    std::string settle;
};

struct RemedyRule {
    At at;
    std::string id;
    std::string title;
    std::string command;  // a line to paste; made of `verb` and `arguments` where these are given
    std::string verb;     // automatic: a plugin's verb and its command
    std::vector<std::pair<std::string, json::value>> arguments;  // texts may have placeholders
    bool needs_root = false;
    bool reversible = false;
    bool alone = false;           // these two as in report::Remedy
    bool works_around = false;    // report::Remedy has the meaning
    std::vector<Condition> all;   // offered where all of these hold
    std::vector<Condition> any;   // … and one of these; empty = always
    std::vector<Condition> none;  // … and none of these
};

struct Rule {
    At at;
    bool own = false;  // of the user's own files
    std::string id;    // "cause.…"
    std::string title;
    report::Place place = report::Place::you;
    report::Impact impact = report::Impact::note;
    // Sentences; one with a placeholder for what was not found or measured is left out.
    std::vector<std::string> explanation;
    At explanation_at;
    std::vector<When> when;
    std::vector<Condition>
        explains;  // each of findings, or with the id of a cause as its code alone
    std::vector<Need> needs;
    std::vector<RemedyRule> remedies;
};

// A code of findings that never makes a cause, and why not.
struct NoCause {
    At at;
    std::string code;
    std::string why;
};

struct Rules {
    std::vector<Rule> causes;
    std::vector<NoCause> no_causes;
};

}  // namespace p2pdiag::diagnosis
