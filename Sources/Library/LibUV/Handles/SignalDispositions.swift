internal import CLibUV

// The disposition of a signal belongs to the process. When the last watcher of a signal stops, libuv sets the default
// disposition, whatever the disposition was before the first watcher started. The default disposition of SIGPIPE and
// SIGHUP terminates the process. However, the library may have ignored SIGPIPE before, and `nohup` may have ignored
// SIGHUP. Therefore the library remembers and restores the disposition.

/// The signal dispositions that the watchers of all loops have replaced.
enum SignalDispositions {
    private struct Watched {
        var watcherCount = 0
        /// The disposition before the first watcher.
        var previous = sigaction()
    }

    // If the mutex cannot be made, watchers still work, but the dispositions are not restored.
    private static let watched: Locked<[Int32: Watched]>? = try? Locked([:])

    /// Starts a watcher of a signal with `start`, which returns a negative status if it fails.
    static func watch(_ number: Int32, _ start: () -> Int32) -> Int32 {
        guard let watched else { return start() }
        return watched.withLock { watched in
            var entry = watched[number] ?? Watched()
            // The result of `sigaction` can be ignored: it fails only if the number is invalid, and then `start` fails,
            // too.
            if entry.watcherCount == 0 { _ = unsafe sigaction(number, nil, &entry.previous) }
            let status = start()
            guard status >= 0 else { return status }
            entry.watcherCount += 1
            watched[number] = entry
            return status
        }
    }

    /// Stops a watcher of a signal with `stop`, and restores the disposition if that was the signal's last watcher.
    static func unwatch(_ number: Int32, _ stop: () -> Void) {
        guard let watched else { return stop() }
        watched.withLock { watched in
            stop()
            guard var entry = watched[number] else { return }
            entry.watcherCount -= 1
            watched[number] = entry.watcherCount > 0 ? entry : nil
            if entry.watcherCount == 0 { unsafe cuv_restore_signal(number, &entry.previous) }
        }
    }

    /// Ignores SIGPIPE, unless the program has installed a handler.
    ///
    /// If the program is watching the signal, the call takes effect only when the last watcher stops.
    static func ignoreBrokenPipes() {
        guard let watched else { return cuv_ignore_broken_pipes() }
        watched.withLock { watched in
            guard var entry = watched[SIGPIPE] else { return cuv_ignore_broken_pipes() }
            unsafe cuv_ignore_instead_of_default(&entry.previous)
            watched[SIGPIPE] = entry
        }
    }
}
