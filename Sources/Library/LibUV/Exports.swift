// The address types are part of this library's interface, so `import LibUV` also imports the module SocketAddresses.
@_exported public import SocketAddresses
