/**
 * Every promise of the bindings, in Kotlin; `checks.py` makes the same checks in Python.
 *
 *     Checks FOLDER URL ADDR OTHER ROOT SECONDS          says the name of every check that holds
 *
 * ADDR is a tenant without optional programs, OTHER one that has `com.example.inspection` as an optional one.
 */

import java.io.File
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.math.abs
import tenantry.client.*

const val DAY = 24 * 60 * 60L

/** Always the same failure. */
class Fails(private val error: Throwable) : Transport {
    override fun get(request: Request): Reply = throw error
}

/** A body that fails after its first bytes. */
class FailsLater(private val error: Throwable) : Transport {
    override fun get(request: Request): Reply =
        if ("root" in request.path) Reply.Missing else Reply.Found(0u, null, 1000u, BreaksOff(error))
}

class BreaksOff(private val error: Throwable) : ByteSource {
    private var isFirst = true

    override fun read(most: UInt): ByteArray {
        if (!isFirst) throw error
        isFirst = false
        return "{".toByteArray()
    }
}

class Site(
    private val folder: File,
    val url: String,
    val addr: String,
    val other: String,
    root: File,
    val now: UnixSeconds,
) {
    private val root = root.readBytes()

    /** The configuration of a device of this name. */
    fun config(
        name: String,
        baseUrl: String = url,
        addr: String = this.addr,
        root: ByteArray = this.root,
        onDemand: OnDemand? = null,
        limits: Limits? = null,
        unit: String? = null,
    ) = Config(
        dir = File(folder, name).path,
        baseUrl = baseUrl,
        addr = addr,
        trustedRoot = root,
        platformCode = 12u,
        unit = unit,
        onDemand = onDemand,
        limits = limits,
    )

    /** A client with something installed. */
    fun installed(config: Config): Client {
        val client = Client.open(config)
        client.refresh(now)
        check(client.activate() is Activated.Switched)
        return client
    }
}

/** The error that a call ends with. */
fun failure(call: () -> Unit): ClientException.Failed {
    try {
        call()
    } catch (error: ClientException.Failed) {
        return error
    }
    throw AssertionError("it did not fail")
}

fun a_client_says_whose_it_is(site: Site) {
    val client = Client.open(site.config("whose"))
    check(client.addr() == site.addr && client.environment() == "production")
}

fun a_configuration_that_cannot_be_used_is_never_tried_again(site: Site) {
    for ((field, config) in listOf(
        "addr" to site.config("configuration", addr = "nonsense"),
        "trusted_root" to site.config("configuration", root = "{}".toByteArray()),
        "base_url" to site.config("configuration", baseUrl = "http://192.0.2.1/"),
    )) {
        val error = failure { Client.open(config) }
        check(error.code == "configuration" && error.retry == Retry.NEVER) { error }
        check(field in error.what && error.help.isNotEmpty()) { error }
        check(error.kept == Kept(set = null, publication = null)) { error }
    }
}

fun a_shell_brings_its_own_http(site: Site) {
    val came = AtomicLong()
    val http = HttpTransport("${site.url}/") { came.addAndGet(it.toLong()) }
    val client = Client.openOver(site.config("own-http", baseUrl = ""), http)
    val update = client.refresh(site.now)
    check(update.gained.size == 4 && update.staged != null) { update }
    check(came.get().toULong() == update.traffic.bytes && came.get() > 0) { update }
    // The timestamp is asked for with its ETag, and nothing else.
    check(client.refresh(site.now).traffic.bytes == 0uL)
}

fun a_failure_of_the_shells_http_has_its_code(site: Site) {
    for ((raised, code, said) in listOf(
        Triple(TransportException.Unreachable("aeroplane mode"), "unreachable", "aeroplane mode"),
        Triple(TransportException.Slow(), "too-slow", "slowly"),
        Triple(TransportException.Server(503u), "server", "503"),
        Triple(TransportException.Elsewhere("https://portal.example.com/"), "redirected", "portal.example.com"),
        Triple(TransportException.Useless("a login page"), "not-our-server", "a login page"),
        Triple(IllegalStateException("a mistake of the shell's"), "unreachable", "a mistake of the shell's"),
    )) {
        val client = Client.openOver(site.config("failing-http"), Fails(raised))
        val error = failure { client.refresh(site.now) }
        check(error.code == code && error.retry == Retry.LATER && said in error.what) { error }
        client.close()
    }
    for ((raised, code) in listOf(
        TransportException.Slow() to "too-slow",
        TransportException.Unreachable("the tunnel") to "cut-short",
        IllegalStateException("a mistake of the shell's") to "cut-short",
    )) {
        val client = Client.openOver(site.config("failing-body"), FailsLater(raised))
        check(failure { client.refresh(site.now) }.code == code)
        client.close()
    }
}

fun a_look_does_not_wait_for_a_refresh(site: Site) {
    site.installed(site.config("look")).close()
    val asked = CountDownLatch(1)
    val looked = CountDownLatch(1)
    val waits = object : HttpTransport("${site.url}/") {
        override fun get(request: Request): Reply {
            asked.countDown()
            check(looked.await(60, TimeUnit.SECONDS)) { "the look waited for the refresh" }
            return super.get(request)
        }
    }
    val client = Client.openOver(site.config("look"), waits)
    var update: Update? = null
    val refresh = thread { update = client.refresh(site.now) }
    check(asked.await(60, TimeUnit.SECONDS))
    val runs = client.look(site.now).runnable()
    looked.countDown()
    refresh.join()
    check(runs.size == 4 && update != null) { runs }
}

fun calls_from_many_threads_wait_for_each_other(site: Site) {
    val client = Client.open(site.config("threads"))
    val gained = java.util.Collections.synchronizedList(mutableListOf<Int>())
    val threads = List(8) { thread { gained += client.refresh(site.now).gained.size } }
    threads.forEach { it.join() }
    check(gained == List(8) { 4 }) { gained }
}

fun a_second_client_of_a_folder_only_looks(site: Site) {
    val first = site.installed(site.config("two"))
    val second = Client.open(site.config("two"))
    val error = failure { second.refresh(site.now) }
    check(error.code == "busy" && error.retry == Retry.LATER && error.kept.publication == 1uL) { error }
    check(second.start(site.now).runnable().size == 4)
    check(first.refresh(site.now).publication == 1uL)
}

fun any_number_is_a_time(site: Site) {
    val client = site.installed(site.config("clock"))
    // Before the year 1970 nothing was issued: the client knows better.
    for (seconds in listOf(Long.MIN_VALUE, -1, 0, site.now)) {
        check(client.look(seconds).freshness is Freshness.Fresh) { seconds }
    }
    val week = client.look(site.now + 8 * DAY).freshness
    check(week is Freshness.Grace && week.until - week.since == 14 * DAY) { week }
    val over = client.look(Long.MAX_VALUE).freshness
    check(over is Freshness.Over && over.strategy == ExpirationStrategy.RESTRICT) { over }
    check(abs(systemClock() - System.currentTimeMillis() / 1000) < 60)
}

fun optional_programs_come_when_they_are_asked_for(site: Site) {
    val appId = "com.example.inspection"
    fun verdict(client: Client) = client.look(site.now).programs.single { it.appId == appId }.verdict

    val client = site.installed(site.config("optional", addr = site.other))
    check(verdict(client) == Verdict.NotInstalled)
    client.install(appId)
    check(verdict(client) == Verdict.Runs)
    val error = failure { client.install("com.example.nonsense") }
    check(error.code == "unknown-program" && error.retry == Retry.NEVER && error.kept.publication == 1uL) { error }
    val eager = site.installed(site.config("eager", addr = site.other, onDemand = OnDemand.FETCHED))
    check(verdict(eager) == Verdict.Runs)
}

fun limits_that_are_given_hold(site: Site) {
    val client = Client.open(site.config("limits", limits = Limits(maxManifest = 100uL)))
    val error = failure { client.refresh(site.now) }
    check(error.code == "manifest" && "more than this shell reads" in error.what) { error }
}

fun starts_are_counted_until_one_is_confirmed(site: Site) {
    val client = site.installed(site.config("starts"))
    check(failure { client.confirmStart() }.code == "not-started")
    check(List(2) { client.start(site.now).failedStarts } == listOf(0u, 1u))
    client.confirmStart()
    check(client.start(site.now).failedStarts == 0u)
    check(client.activate() == Activated.NothingStaged)
}

fun a_page_is_found_and_nothing_outside(site: Site) {
    val programs = site.installed(site.config("pages")).look(site.now).programs
    val inspection = programs.single { it.appId == "com.example.inspection" }
    val page = File(inspection.file("pages/index.html")!!)
    check(page.isFile && page.startsWith(inspection.folder!!)) { page }
    val own = File(inspection.overlay!!).walk().single { it.extension == "json" }
    check(inspection.file(own.relativeTo(File(inspection.overlay!!)).path) == own.path) { own }
    for (path in listOf("", "/etc/hosts", "../../current", "pages/../../x", "pages", "nothing.html")) {
        check(inspection.file(path) == null) { path }
    }
}

fun texts_in_json_are_json(site: Site) {
    // Kotlin's library has no JSON of its own; Python reads it.
    val start = site.installed(site.config("json")).start(site.now)
    check("\"name\":\"Umbra\"" in start.branding) { start.branding }
    val inspection = start.programs.single { it.appId == "com.example.inspection" }
    check("\"checklist_title\":\"Sopralluogo\"" in inspection.ext) { inspection.ext }
    check(File(inspection.overlay!!).isDirectory)
}

fun buckets_are_those_that_are_published(site: Site) {
    // Units without anything that JSON escapes; Python reads them all.
    val vector = Regex(""""addr": "([a-z2-7]{32})", "unit": "([^"\\]*)", "bucket": (\d+)""")
    val vectors = vector.findAll(File(System.getenv("VECTORS")).readText(Charsets.UTF_8)).map { it.destructured }.toList()
    check(vectors.size > 15) { vectors.size }
    for ((addr, unit, expected) in vectors) {
        check(bucket(addr, unit) == expected.toUInt()) { unit }
    }
    check(site.config("named", unit = "device-1").unit == "device-1")
}

fun a_client_that_was_closed_says_so(site: Site) {
    val client = Client.open(site.config("closed"))
    client.close()
    val message = runCatching { client.start(site.now) }.exceptionOrNull()
    check(message is IllegalStateException && "already been destroyed" in message.message!!) { message.toString() }
    // The folder is free again.
    site.installed(site.config("closed"))
}

val CHECKS = listOf(
    ::a_client_says_whose_it_is,
    ::a_configuration_that_cannot_be_used_is_never_tried_again,
    ::a_shell_brings_its_own_http,
    ::a_failure_of_the_shells_http_has_its_code,
    ::a_look_does_not_wait_for_a_refresh,
    ::calls_from_many_threads_wait_for_each_other,
    ::a_second_client_of_a_folder_only_looks,
    ::any_number_is_a_time,
    ::optional_programs_come_when_they_are_asked_for,
    ::limits_that_are_given_hold,
    ::starts_are_counted_until_one_is_confirmed,
    ::a_page_is_found_and_nothing_outside,
    ::texts_in_json_are_json,
    ::buckets_are_those_that_are_published,
    ::a_client_that_was_closed_says_so,
)

/** Not `main`, which is the shell's. */
object Checks {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val (folder, url, addr, other, root) = arguments
        val site = Site(File(folder), url, addr, other, File(root), arguments[5].toLong())
        for (check in CHECKS) {
            check(site)
            println(check.name)
        }
    }
}
