/// A shell, as small as it can be: starts what a tenant may run, and brings it up to date.
///
///     Shell FOLDER URL ADDR ROOT start|refresh [SECONDS]
///
/// NOT COMPILED by any test, for want of a Swift compiler: it is parsed, and every name in it that the library must
/// have is looked up in the generated code. `shell.py` and `Shell.kt`, which say the same, are run.

import Foundation
import TenantryClient

/// Opens the folder; nothing is fetched.
func openClient(folder: String, url: String, addr: String, root: String) throws -> Client {
    let trustedRoot = try Data(contentsOf: URL(fileURLWithPath: root))
    let config = Config(dir: folder, baseUrl: url, addr: addr, trustedRoot: trustedRoot, platformCode: 12)
    return try Client.open(config: config)
}

/// What may run, from the disk alone.
func start(client: Client, now: UnixSeconds) throws {
    let start = client.start(now: now)
    print("start", start.publication.map(String.init) ?? "-", word(start.freshness))
    for program in start.runnable() {
        let page = try Data(contentsOf: find(program: program, path: program.pages[0]))
        print("runs", program.appId, program.version!.name, page.count)
    }
    for program in start.programs where program.verdict != .runs {
        print("stays", program.appId)
    }
    if start.set != nil {
        try client.confirmStart() // the shell is up with it
    }
}

/// A file of a program: the tenant's own, where it has one.
func find(program: Program, path: String) -> URL {
    let folders = [program.overlay, program.folder].compactMap { $0 }
    let files = folders.map { URL(fileURLWithPath: $0).appendingPathComponent(path) }
    return files.first { FileManager.default.fileExists(atPath: $0.path) }!
}

/// What is new; the next start takes it.
func refresh(client: Client, now: UnixSeconds) throws {
    let update = try client.refresh(now: now)
    print("refresh", update.publication)
    update.gained.forEach { print("gained", $0.appId, $0.version) }
    update.lost.forEach { print("lost", $0.appId, $0.version) }
    update.changed.forEach { print("changed", $0.appId, $0.old.name, $0.new.name) }
    if update.staged != nil {
        if case .switched = try client.activate() {
            print("activated")
        }
    }
}

/// One word for how fresh is what is known.
func word(_ freshness: Freshness) -> String {
    switch freshness {
    case .unknown: return "unknown"
    case .fresh: return "fresh"
    case .grace: return "grace"
    case .over: return "over"
    }
}

let arguments = CommandLine.arguments
let now = arguments.count > 6 ? UnixSeconds(arguments[6])! : systemClock()
do {
    let client = try openClient(folder: arguments[1], url: arguments[2], addr: arguments[3], root: arguments[4])
    switch arguments[5] {
    case "start": try start(client: client, now: now)
    case "refresh": try refresh(client: client, now: now)
    default: fatalError("`\(arguments[5])` is neither `start` nor `refresh`")
    }
} catch ClientError.Failed(let code, let what, let help, let retry, let kept) {
    // The code is for programs, the rest for a log. What was installed is still there, and still starts.
    print("failed", code, retry, kept.publication.map(String.init) ?? "-")
    FileHandle.standardError.write(Data("\(what)\n\(help)\n".utf8))
    exit(1)
}
