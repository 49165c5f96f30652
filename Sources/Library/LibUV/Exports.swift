// Addresses are part of this library's interface, so `import LibUV` also imports them.
@_exported public import SocketAddresses
