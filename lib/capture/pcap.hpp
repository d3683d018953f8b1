// Classic pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html
#pragma once

#include "capture/reader.hpp"

namespace p2pdiag::capture {

// Whether a file that starts so is a classic pcap, whatever its version. 4 bytes are enough.
bool is_pcap(ByteView start);

Result<std::unique_ptr<FormatReader>> open_pcap(Window window);

}  // namespace p2pdiag::capture
