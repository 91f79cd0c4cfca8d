import type { Readable } from 'node:stream'
import { type Content, type Context, path, type Query } from '../call.ts'
import { type Reader, reader } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'
import * as bodies from './image-bodies.ts'

/** Glance v2. */
export interface ImageService {
  list(filters: Query, context: Context): AsyncIterable<bodies.Image>
  show(id: string, context: Context): Promise<bodies.Image>
  create(body: bodies.ImageCreate, context: Context): Promise<bodies.Image>
  update(id: string, patches: readonly bodies.ImagePatch[], context: Context): Promise<bodies.Image>
  remove(id: string, context: Context): Promise<boolean>
  upload(id: string, content: Content, context: Context): Promise<void>
  /** Null: nothing was uploaded yet. The body must be read or destroyed. */
  download(id: string, context: Context): Promise<ImageData | null>
  addTag(id: string, tag: string, context: Context): Promise<void>
  removeTag(id: string, tag: string, context: Context): Promise<boolean>
  readonly members: {
    list(id: string, context: Context): AsyncIterable<bodies.Member>
    add(id: string, projectId: string, context: Context): Promise<bodies.Member>
    decide(
      id: string,
      projectId: string,
      status: 'accepted' | 'rejected' | 'pending',
      context: Context,
    ): Promise<bodies.Member>
    remove(id: string, projectId: string, context: Context): Promise<boolean>
  }
}

export interface ImageData {
  readonly body: Readable
  /** Null when Glance does not say. */
  readonly bytes: number | null
}

const image = reader(bodies.Image) as Reader<bodies.Image>
const member = reader(bodies.Member)
const patchType = 'application/openstack-images-v2.1-json-patch'

export function imageService(session: Session): ImageService {
  const service = serviceOf(session, kinds.image)
  return {
    list: (filters, context) =>
      service.list('/images', { key: 'images', item: image, next: 'link', marker: ({ id }) => id }, filters, context),
    show: (id, context) => service.read(image, { method: 'GET', path: path`/images/${id}` }, context),
    create: (body, context) => service.read(image, { method: 'POST', path: '/images', json: body }, context),
    update: (id, patches, context) =>
      service.read(
        image,
        { method: 'PATCH', path: path`/images/${id}`, json: patches, headers: { 'content-type': patchType } },
        context,
      ),
    remove: (id, context) => service.remove(path`/images/${id}`, context),
    async upload(id, content, context) {
      await service.send({ method: 'PUT', path: path`/images/${id}/file`, content }, context)
    },
    async download(id, context) {
      const headers = { accept: 'application/octet-stream' }
      const answer = await service.stream({ method: 'GET', path: path`/images/${id}/file`, headers }, context)
      if (answer.status === 204) {
        answer.body.resume()
        return null
      }
      const length = Number(answer.headers['content-length'] ?? Number.NaN)
      return { body: answer.body, bytes: Number.isNaN(length) ? null : length }
    },
    async addTag(id, tag, context) {
      await service.send({ method: 'PUT', path: path`/images/${id}/tags/${tag}` }, context)
    },
    removeTag: (id, tag, context) => service.remove(path`/images/${id}/tags/${tag}`, context),
    members: {
      list: (id, context) =>
        service.list(
          path`/images/${id}/members`,
          { key: 'members', item: member, next: 'whole', marker: ({ member_id }) => member_id },
          {},
          context,
        ),
      add: (id, projectId, context) =>
        service.read(
          member,
          { method: 'POST', path: path`/images/${id}/members`, json: { member: projectId } },
          context,
        ),
      decide: (id, projectId, status, context) =>
        service.read(
          member,
          { method: 'PUT', path: path`/images/${id}/members/${projectId}`, json: { status } },
          context,
        ),
      remove: (id, projectId, context) => service.remove(path`/images/${id}/members/${projectId}`, context),
    },
  }
}
