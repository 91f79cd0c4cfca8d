import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { callerOf, streamSignal } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import { queryOf, text } from './arguments.ts'
import { readArchiveBody } from './archive-body.ts'
import { refOf, sendNull, type Zun } from './context.ts'
import { Refusal, schemaError } from './errors.ts'
import { minorOf } from './microversion.ts'

/** Bytes of JSON that one upload may have. */
const uploadLimit = 256 * 1024 * 1024

/**
 * put_archive, in a scope of its own because its body is not parsed whole: the tar flows from the JSON string in the
 * request to the host while it arrives.
 */
export function archiveUploadRoute(scope: FastifyInstance, zun: Zun): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  scope.post('/containers/:ref/put_archive', { bodyLimit: uploadLimit }, async (request, reply) => {
    const signal = streamSignal(reply)
    const caller = callerOf(request)
    const body = request.body instanceof Readable ? request.body : Readable.from([])
    if (Number(request.headers['content-length'] ?? 0) > uploadLimit) throw tooLarge()
    // Refused before the body is read, so that nobody sends 256 MiB to hear a 404.
    const { id } = await zun.control.containers.get(caller, refOf(request))
    const upload = await readArchiveBody(body, { limit: uploadLimit, tooLarge, base64: minorOf(request) >= 25 })
    try {
      const path = text(queryOf(request), 'path') ?? upload.path
      if (path === undefined)
        throw schemaError('The argument path is required, in the query or before data in the body.')
      await zun.control.containers.putArchive(caller, id, path, upload.tar, signal)
      // A tar may be complete before its stream is; what is wrong with the rest must not pass unseen.
      if (!upload.tar.destroyed) await finished(upload.tar.resume(), { signal })
    } catch (error) {
      throw upload.problem() ?? error
    } finally {
      upload.tar.destroy()
    }
    return sendNull(reply, 200)
  })
}

function tooLarge(): Refusal {
  return new Refusal(413, '', `The archive is larger than ${uploadLimit} bytes of JSON; copy it in parts.`)
}
