// Files as programs of other systems write them.
#pragma once

#include <string>

namespace p2pdiag::firewall {

// The text of a file as UTF-8: without byte order mark, and out of UTF-16 if it is that, which is
// what PowerShell 5 makes of `> file`. Half of a surrogate pair becomes U+FFFD; bytes of other
// encodings stay as they are.
std::string decode_file(std::string file);

}  // namespace p2pdiag::firewall
