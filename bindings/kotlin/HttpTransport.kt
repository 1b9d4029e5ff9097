/**
 * Bytes over the platform's own HTTP: its proxies, its certificates, its rules. On Android this is the way; see
 * README.md. `tests/bindings/Checks.kt` runs it.
 */

import java.io.IOException
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.SocketTimeoutException
import java.net.URL
import tenantry.client.ByteSource
import tenantry.client.Reply
import tenantry.client.Request
import tenantry.client.Transport
import tenantry.client.TransportException

/** Fetches below a base URL that ends with a slash. `came` hears how long every piece is, from several threads. */
open class HttpTransport(private val baseUrl: String, private val came: (Int) -> Unit = {}) : Transport {
    override fun get(request: Request): Reply = inWordsOfTheClient {
        val connection = URL(baseUrl + request.path).openConnection() as HttpURLConnection
        connection.instanceFollowRedirects = false
        connection.connectTimeout = 15_000
        connection.readTimeout = 30_000
        connection.setRequestProperty("Accept-Encoding", "identity")
        request.ifNoneMatch?.let { connection.setRequestProperty("If-None-Match", it) }
        if (request.offset > 0u) {
            connection.setRequestProperty("Range", "bytes=${request.offset}-")
            request.ifRange?.let { connection.setRequestProperty("If-Range", it) }
        }
        if (request.pastCaches) {
            connection.setRequestProperty("Cache-Control", "no-cache")
        }
        answer(connection, request)
    }

    private fun answer(connection: HttpURLConnection, request: Request): Reply =
        when (val status = connection.responseCode) {
            200 -> found(connection, 0u)
            206 -> {
                val range = connection.getHeaderField("Content-Range").orEmpty()
                if (!range.startsWith("bytes ${request.offset}-")) {
                    throw TransportException.Useless("another part came than was asked for: $range")
                }
                found(connection, request.offset)
            }
            304 -> Reply.NotModified
            403, 404, 410 -> Reply.Missing
            301, 302, 303, 307, 308 -> throw TransportException.Elsewhere(connection.getHeaderField("Location").orEmpty())
            429, in 500..599 -> throw TransportException.Server(status.toUShort())
            else -> throw TransportException.Useless("HTTP $status")
        }

    private fun found(connection: HttpURLConnection, offset: ULong): Reply {
        val length = connection.contentLengthLong.takeIf { it >= 0 }?.toULong()
        return Reply.Found(offset, connection.getHeaderField("ETag"), length, Body(connection.inputStream, came))
    }
}

private class Body(private val stream: InputStream, private val came: (Int) -> Unit) : ByteSource {
    override fun read(most: UInt): ByteArray = inWordsOfTheClient {
        val buffer = ByteArray(most.toInt())
        val length = stream.read(buffer)
        if (length < 0) {
            stream.close()
            ByteArray(0)
        } else {
            came(length)
            buffer.copyOf(length)
        }
    }
}

private inline fun <T> inWordsOfTheClient(work: () -> T): T =
    try {
        work()
    } catch (error: SocketTimeoutException) {
        throw TransportException.Slow()
    } catch (error: IOException) {
        throw TransportException.Unreachable(error.toString())
    }
