// A name server on 127.0.0.1:53 of a sandbox. What it answers is in the first label of the name:
//   both     one address of each family          v4only   an IPv4 address, and none for IPv6
//   nx       no such name                        broken   a server failure
//   slow6    as "both", but no answer for IPv6   silent   no answer at all
#pragma once

#include <thread>

namespace p2pdiag::testing {

class FakeDnsServer {
public:
    FakeDnsServer();  // throws where the port cannot be had
    ~FakeDnsServer();
    FakeDnsServer(const FakeDnsServer&) = delete;
    FakeDnsServer& operator=(const FakeDnsServer&) = delete;

private:
    void serve();

    int socket_ = -1;
    std::thread thread_;
};

}  // namespace p2pdiag::testing
