#ifndef SWIFT_UV_CLIBUV_SHIM_H
#define SWIFT_UV_CLIBUV_SHIM_H
#include <uv.h>
#if UV_VERSION_HEX < 0x012C00
#error "swift-uv needs libuv 1.44 or later: install a newer libuv1-dev"
#endif
#endif
