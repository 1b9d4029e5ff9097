/**
 * A shell, as small as it can be: starts what a tenant may run, and brings it up to date.
 *
 *     Shell FOLDER URL ADDR ROOT start|refresh [SECONDS]
 *
 * `tests/bindings.rs` runs it, `shell.py` says the same in Python, and the samples of README.md stand here.
 */

import java.io.File
import kotlin.system.exitProcess
import tenantry.client.*

/** Opens the folder; nothing is fetched. */
fun openClient(folder: String, url: String, addr: String, root: String): Client {
    val trustedRoot = File(root).readBytes()
    val config = Config(dir = folder, baseUrl = url, addr = addr, trustedRoot = trustedRoot, platformCode = 12u)
    return Client.open(config)
}

/** What may run, from the disk alone. */
fun start(client: Client, now: UnixSeconds) {
    val start = client.start(now)
    println("start ${start.publication ?: "-"} ${word(start.freshness)}")
    for (program in start.runnable()) {
        val page = find(program, program.pages.first())
        println("runs ${program.appId} ${program.version?.name} ${page.length()}")
    }
    for (program in start.programs.filter { it.verdict != Verdict.Runs }) {
        println("stays ${program.appId}")
    }
    if (start.set != null) {
        client.confirmStart() // the shell is up with it
    }
}

/** A file of a program: the tenant's own, where it has one. */
fun find(program: Program, path: String): File =
    listOfNotNull(program.overlay, program.folder).map { File(it, path) }.first { it.exists() }

/** What is new; the next start takes it. */
fun refresh(client: Client, now: UnixSeconds) {
    val update = client.refresh(now)
    println("refresh ${update.publication}")
    update.gained.forEach { println("gained ${it.appId} ${it.version}") }
    update.lost.forEach { println("lost ${it.appId} ${it.version}") }
    update.changed.forEach { println("changed ${it.appId} ${it.old.name} ${it.new.name}") }
    if (update.staged != null) {
        if (client.activate() is Activated.Switched) {
            println("activated")
        }
    }
}

/** One word for how fresh is what is known. */
fun word(freshness: Freshness) = when (freshness) {
    is Freshness.Unknown -> "unknown"
    is Freshness.Fresh -> "fresh"
    is Freshness.Grace -> "grace"
    is Freshness.Over -> "over"
}

fun main(arguments: Array<String>) {
    val (folder, url, addr, root, command) = arguments
    val now = arguments.getOrNull(5)?.toLong() ?: systemClock()
    try {
        openClient(folder, url, addr, root).use { client ->
            when (command) {
                "start" -> start(client, now)
                "refresh" -> refresh(client, now)
                else -> error("`$command` is neither `start` nor `refresh`")
            }
        }
    } catch (error: ClientException.Failed) {
        // The code is for programs, the rest for a log. What was installed is still there, and still starts.
        println("failed ${error.code} ${error.retry.name.lowercase()} ${error.kept.publication ?: "-"}")
        System.err.println("${error.what}\n${error.help}")
        exitProcess(1)
    }
}
