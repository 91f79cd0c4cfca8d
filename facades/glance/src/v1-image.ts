import type { IncomingHttpHeaders } from 'node:http'
import type { NewImage } from '@gantry/control'
import type { Image, ImageId } from '@gantry/model'
import { invalid } from './errors.ts'
import { saidFields } from './image-fields.ts'
import { glanceTime, nameOf } from './image-view.ts'

const meta = 'x-image-meta-'
const property = 'property-'

export function toV1Image(image: Image): Readonly<Record<string, unknown>> {
  return { ...v1Fields(image), properties: image.glance.properties }
}

/** What answers say of an image in headers. */
export function headersOf(image: Image): Record<string, string> {
  const fields = Object.entries(v1Fields(image)).flatMap(([key, value]) =>
    value === null ? [] : [[meta + key, headerText(String(value))]],
  )
  const properties = Object.entries(image.glance.properties).flatMap(([key, value]) =>
    // Others cannot be said in a header's name.
    /^[\w!#$%&'*+.^`|~-]{1,255}$/.test(key) ? [[`${meta}${property}${key.toLowerCase()}`, headerText(value)]] : [],
  )
  return Object.fromEntries([...fields, ...properties])
}

/** A new image as the request's headers describe it. Throws a `Refusal`. */
export function inputOf(headers: IncomingHttpHeaders): NewImage {
  const given: Record<string, unknown> = {}
  let isPublic = false
  for (const [header, raw] of Object.entries(headers)) {
    if (!header.startsWith(meta) || typeof raw !== 'string') continue
    const key = header.slice(meta.length)
    const value = Buffer.from(raw, 'latin1').toString()
    if (key.startsWith(property)) given[key.slice(property.length)] = value
    else if (key === 'is_public') isPublic = flagOf(key, value)
    else if (key === 'protected') given[key] = flagOf(key, value)
    else if (key === 'min_disk' || key === 'min_ram') given[key] = Number(value)
    else if (!ignored.has(key)) given[key] = value
  }
  const { id, name = null, glance } = saidFields(given)
  const unsaid = { containerFormat: null, diskFormat: null }
  const input = { name, visibility: isPublic ? 'public' : 'private', glance: { ...unsaid, ...glance } } as const
  return id === undefined ? input : { ...input, id: id as ImageId }
}

/** What the service finds out by itself. */
const ignored = new Set(['size', 'checksum', 'status', 'owner', 'store', 'location', 'deleted'])

function v1Fields(image: Image): Readonly<Record<string, string | number | boolean | null>> {
  const { glance } = image
  return {
    id: image.id,
    name: nameOf(image),
    status: image.status,
    is_public: image.visibility === 'public',
    protected: glance.protected,
    owner: image.projectId,
    container_format: glance.containerFormat,
    disk_format: glance.diskFormat,
    min_disk: glance.minDisk,
    min_ram: glance.minRam,
    size: image.bytes ?? 0,
    checksum: glance.checksum,
    created_at: glanceTime(image.createdAt).slice(0, -1),
    updated_at: glanceTime(image.updatedAt).slice(0, -1),
    deleted: false,
    deleted_at: null,
  }
}

function flagOf(key: string, value: string): boolean {
  const text = value.toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(text)) return true
  if (['false', '0', 'no', 'off', ''].includes(text)) return false
  throw invalid(`${key} must be True or False.`)
}

/** UTF-8 as headers carry it, on one line. */
function headerText(text: string): string {
  return Buffer.from(text.replace(/\p{Cc}/gu, ' ')).toString('latin1')
}
