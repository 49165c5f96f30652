// The compiler crashes on this file, which belongs to no target. scripts/check-compiler compiles it with each
// workaround.
//
// Compiler: Swift 6.3.1 (swift-6.3.1-RELEASE) on x86_64 Linux, with -Onone and with -O.
// Command: swiftc -c -swift-version 6 -parse-as-library NonexhaustiveCatch.swift
// Symptom: signal 11 in swift::StackNesting::fixNesting, in the pass MandatoryAllocBoxToStack.
//
// All of these conditions are necessary:
// - The errors of the `do` block have a concrete type.
// - The `catch` clauses do not catch all of these errors.
// - The function throws `any Error`, so the compiler converts the errors that are not caught.
// - The compiler makes a box for a variable of the function. It does so for each noncopyable variable, for example a
//   `UVBuffer`, and for a variable that a closure changes.
//
// An `async` function crashes the compiler in the same way.

struct Failure: Error {}
struct Buffer: ~Copyable {}

func fail() throws(Failure) {}

#if CATCH_ALL
    // Workaround: a last clause catches all other errors.
    func use(_ isExpected: Bool) throws {
        do {
            let buffer = Buffer()
            try fail()
            _ = consume buffer
        } catch _ where isExpected {
        } catch { throw error }
    }
#elseif GUARD
    // Workaround: the only clause has no condition.
    func use(_ isExpected: Bool) throws {
        do {
            let buffer = Buffer()
            try fail()
            _ = consume buffer
        } catch { guard isExpected else { throw error } }
    }
#elseif TYPED_FUNCTION
    // Workaround: the function declares the type of its errors.
    func use(_ isExpected: Bool) throws(Failure) {
        do {
            let buffer = Buffer()
            try fail()
            _ = consume buffer
        } catch _ where isExpected {}
    }
#else
    func use(_ isExpected: Bool) throws {
        do {
            let buffer = Buffer()
            try fail()
            _ = consume buffer
        } catch _ where isExpected {}
    }
#endif
