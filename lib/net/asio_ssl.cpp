// The implementation of the TLS part of Boost.Asio.
#include <boost/asio/ssl/impl/src.hpp>
