import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { EngineImages, ImageVerbs, Namespaces, RegistryVerbs, SignaturePolicy } from '@gantry/control'
import { unfaked } from '@gantry/control/testing'
import { Fault } from '@gantry/kernel'
import {
  type Caller,
  type Digest,
  dockerImage,
  formatImageName,
  type Image,
  type ImageId,
  type ImageMember,
  parseImageName,
  type ProjectId,
} from '@gantry/model'
import { Shelf } from './shelf.ts'

export interface FakeImages {
  readonly verbs: ImageVerbs
  readonly registry: RegistryVerbs
  readonly engineImages: EngineImages
  /** By digest, what was uploaded. */
  readonly contents: Map<string, Buffer>
  /** An image that is there. */
  add(projectId: ProjectId, name: string, change?: Partial<Image>): Image
}

const nameOf = ({ name, repo, tag }: Image) => name ?? formatImageName(repo, tag)

/** The catalogue in memory. What another project owns is not there, unless it is public. */
export function fakeImages(): FakeImages {
  const shelf = new Shelf<Image>(
    'image',
    'image.not-found',
    (image) => [nameOf(image)],
    ({ visibility }) => visibility === 'public',
  )
  const contents = new Map<string, Buffer>()
  const members = new Map<string, ImageMember[]>()
  const policies = new Map<string, SignaturePolicy>()
  const find = (caller: Caller, ref: string): Image => {
    const found = shelf.list(caller, true).find((image) => image.id === ref || nameOf(image) === ref)
    if (!found) throw new Fault('image.not-found', { image: ref, reason: 'there is none.' })
    return found
  }
  const own = (caller: Caller, id: ImageId): Image => {
    const found = find(caller, id)
    if (found.projectId === caller.projectId || caller.isAdmin) return found
    throw new Fault('policy.forbidden', { action: 'Changing this image', reason: 'it is not yours' })
  }
  const requireAdmin = ({ isAdmin }: Caller, action: string) => {
    if (!isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it is for administrators' })
  }
  const make = (projectId: ProjectId, name: string | null, change: Partial<Image> = {}): Image => {
    const { repo, tag } = name === null ? { repo: '', tag: '' } : parseImageName(name)
    const now = Date.now()
    return shelf.add({
      id: randomUUID() as ImageId,
      projectId,
      userId: null,
      name: null,
      repo,
      tag,
      kind: 'image',
      status: 'queued',
      visibility: 'private',
      digest: null,
      imageId: null,
      size: null,
      bytes: null,
      pending: null,
      glance: dockerImage,
      createdAt: now,
      updatedAt: now,
      ...change,
    })
  }
  const verbs: ImageVerbs = {
    list: async (caller, { allProjects = false } = {}) => shelf.list(caller, allProjects),
    get: async (caller, id) => find(caller, id),
    find: async (caller, ref) => find(caller, ref),
    create: async (caller, { name, visibility }) => make(caller.projectId, name, { visibility }),
    async upload(caller, id, body) {
      const content = await buffer(body)
      if (content.length === 0) throw new Fault('request.invalid', { problem: 'The archive is empty.' })
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
      contents.set(digest, content)
      return shelf.change(caller, id, { digest, status: 'active', bytes: content.length })
    },
    async download(caller, id) {
      const content = contents.get(find(caller, id).digest ?? '')
      if (!content) throw new Fault('image.conflict', { problem: 'It has no content yet.' })
      return { size: content.length, body: Readable.from([content]) }
    },
    async update(caller, id, { name, visibility }) {
      if (visibility === 'public') requireAdmin(caller, 'Making an image public')
      own(caller, id)
      return shelf.change(caller, id, {
        ...(name === undefined ? {} : { name }),
        ...(visibility ? { visibility } : {}),
      })
    },
    async delete(caller, id) {
      own(caller, id)
      shelf.remove(caller, id)
    },
    members: async (caller, id) => members.get(own(caller, id).id) ?? [],
    async addMember(caller, id, projectId) {
      if (own(caller, id).visibility !== 'shared') {
        throw new Fault('policy.forbidden', { action: 'Sharing this image', reason: 'its visibility is not shared' })
      }
      const member: ImageMember = { imageId: id, projectId, status: 'pending', createdAt: 0, updatedAt: 0 }
      members.set(id, [...(members.get(id) ?? []), member])
      return member
    },
    async setMemberStatus(_caller, id, projectId, status) {
      const found = members.get(id)?.find((member) => member.projectId === projectId)
      if (!found) throw new Fault('image.not-found', { image: id, reason: 'it is not shared with you.' })
      const changed = { ...found, status }
      members.set(
        id,
        (members.get(id) ?? []).map((member) => (member === found ? changed : member)),
      )
      return changed
    },
    async removeMember(caller, id, projectId) {
      own(caller, id)
      members.set(
        id,
        (members.get(id) ?? []).filter((member) => member.projectId !== projectId),
      )
    },
    async pull(caller, { repo, tag }) {
      requireAdmin(caller, 'Pulling')
      return make(caller.projectId, `${repo}:${tag}`, { visibility: 'public' })
    },
    search: async (caller, name, { exact }) =>
      shelf.list(caller).filter((image) => (exact ? nameOf(image) === name : nameOf(image).includes(name))),
    searchRegistry: async () => [],
    signaturePolicy: async ({ projectId }) => policies.get(projectId) ?? { keys: [] },
    async setSignaturePolicy({ projectId }, policy) {
      policies.set(projectId, policy)
      return policy
    },
  }
  const registry: RegistryVerbs = {
    ...unfaked<RegistryVerbs>('registry'),
    async sweep(caller) {
      requireAdmin(caller, 'Sweeping')
      return { manifests: 1, blobs: 2, bytes: 3_000_000 }
    },
    async verify(caller) {
      requireAdmin(caller, 'Verifying')
      return { checked: 7, corrupt: [] }
    },
    provenance: async (_caller, { digest }) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      platforms: ['linux/amd64'],
      layers: digest ? [{ digest, bytes: 1000, createdBy: 'COPY . /' }] : [],
      pushedBy: 'ada',
      pushedAt: 0,
      usedBy: ['web'],
      signatures: digest ? [{ digest, verified: true }] : [],
    }),
  }
  const engineImages: EngineImages = {
    ...unfaked<EngineImages>('engineImages'),
    async tag(caller, name, { repo, tag }) {
      const { id: _id, ...rest } = find(caller, name)
      make(caller.projectId, `${repo}:${tag}`, { ...rest, name: null, repo, tag, projectId: caller.projectId })
    },
  }
  return {
    verbs,
    registry,
    engineImages,
    contents,
    add: (projectId, name, change) => make(projectId, name, { status: 'active', ...change }),
  }
}

/** Projects go by their ids, and `partner` is one of a name. */
export const fakeNamespaces: Namespaces = {
  projectOf: async (namespace) => (namespace === 'nobody' ? null : (namespace as ProjectId)),
  namespaceOf: async (projectId) => projectId,
  userNameOf: async (userId) => userId,
}
