// Addresses are part of this library's interface: `import LibUV` brings them along.
@_exported public import SocketAddresses
