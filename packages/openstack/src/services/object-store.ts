import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import Type, { type Static } from 'typebox'
import { type Content, type Context, path, type Query } from '../call.ts'
import { reader } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

export const ObjectContainer = Type.Object({ name: Type.String(), count: Type.Number(), bytes: Type.Number() })
export type ObjectContainer = Static<typeof ObjectContainer>

/** An object, or with a delimiter a folder of them (`subdir`). */
export const ObjectEntry = Type.Object({
  name: Type.Optional(Type.String()),
  subdir: Type.Optional(Type.String()),
  bytes: Type.Optional(Type.Number()),
  hash: Type.Optional(Type.String()),
  content_type: Type.Optional(Type.String()),
  last_modified: Type.Optional(Type.String()),
})
export type ObjectEntry = Static<typeof ObjectEntry>

export interface StoredObject {
  readonly body: Readable
  readonly bytes: number | null
  /** MD5, hex; of large objects something else, in quotes. */
  readonly etag: string | null
}

/** Swift v1. Names of objects may hold slashes. */
export interface ObjectStoreService {
  containers(filters: Query, context: Context): AsyncIterable<ObjectContainer>
  /** Nothing changes if it is there. */
  createContainer(container: string, context: Context, metadata?: Readonly<Record<string, string>>): Promise<void>
  removeContainer(container: string, context: Context): Promise<boolean>
  objects(container: string, filters: Query, context: Context): AsyncIterable<ObjectEntry>
  /** Answers the MD5 of what is stored. */
  upload(
    container: string,
    object: string,
    content: Content,
    context: Context,
    options?: UploadOptions,
  ): Promise<string | null>
  /** The body must be read or destroyed. */
  download(container: string, object: string, context: Context): Promise<StoredObject>
  removeObject(container: string, object: string, context: Context): Promise<boolean>
}

export interface UploadOptions {
  readonly contentType?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Swift removes it then. */
  readonly deleteAfterSeconds?: number
}

const container = reader(ObjectContainer)
const entry = reader(ObjectEntry)

export function objectStoreService(session: Session): ObjectStoreService {
  const service = serviceOf(session, kinds.objectStore)
  const objectPath = (container: string, object: string) =>
    path`/${container}` +
    object
      .split('/')
      .map((part) => `/${encodedPart(part)}`)
      .join('')
  return {
    containers: (filters, context) =>
      service.list(
        '',
        { key: null, item: container, next: 'until-empty', marker: ({ name }) => name },
        { ...filters, format: 'json' },
        context,
      ),
    async createContainer(container, context, metadata = {}) {
      const headers = prefixed('x-container-meta-', metadata)
      await service.send({ method: 'PUT', path: path`/${container}`, headers }, context)
    },
    removeContainer: (container, context) => service.remove(path`/${container}`, context),
    objects: (container, filters, context) =>
      service.list(
        path`/${container}`,
        { key: null, item: entry, next: 'until-empty', marker: ({ name, subdir }) => name ?? subdir ?? '' },
        { ...filters, format: 'json' },
        context,
      ),
    async upload(container, object, content, context, { contentType, metadata = {}, deleteAfterSeconds } = {}) {
      const headers = {
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...prefixed('x-object-meta-', metadata),
        ...(deleteAfterSeconds !== undefined && { 'x-delete-after': String(deleteAfterSeconds) }),
      }
      // An object is there as a whole or not at all, so what was cut off may be sent once more.
      const call = { method: 'PUT', path: objectPath(container, object), content, headers, mayRepeat: true } as const
      const answer = await service.send(call, context)
      const { etag } = answer.headers
      return typeof etag === 'string' ? etag : null
    },
    async download(container, object, context) {
      const headers = { accept: '*/*' }
      const answer = await service.stream({ method: 'GET', path: objectPath(container, object), headers }, context)
      const length = answer.headers['content-length']
      return {
        body: answer.body,
        bytes: length === undefined ? null : Number(length),
        etag: typeof answer.headers.etag === 'string' ? answer.headers.etag : null,
      }
    },
    removeObject: (container, object, context) => service.remove(objectPath(container, object), context),
  }
}

/** Names with dots alone would mean another place. */
function encodedPart(part: string): string {
  if (part === '.' || part === '..') {
    throw new Fault('request.invalid', { problem: `An object's name cannot have "${part}" between slashes.` })
  }
  return encodeURIComponent(part)
}

function prefixed(prefix: string, metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`${prefix}${key}`, value]))
}
