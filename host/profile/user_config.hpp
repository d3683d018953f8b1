// Where the user's own configuration says the target port, for a plugin that changes it there. The
// plugin edits bytes and knows no TOML: docs/plugin-author/reference.md, "config".
#pragma once

#include "base/json.hpp"
#include "profile/profile.hpp"

namespace p2pdiag::profile {

// Of the profile that `request` loaded. Null where the user has no place for a configuration.
json::value describe_user_config(const Request& request, const Profile& profile);

}  // namespace p2pdiag::profile
