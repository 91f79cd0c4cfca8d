import type { ImagePatch } from '@gantry/control'
import type { Image } from '@gantry/model'
import { isObject } from './context.ts'
import { invalid, Refusal } from './errors.ts'
import { fieldOf, isProperty, propertiesOf, propertyOf } from './image-fields.ts'

/** More than any client sends. */
const mostChanges = 500

/**
 * What a list of changes (`application/openstack-images-v2.1-json-patch`, RFC 6902 without the rest of it) makes of an image. Throws a
 * `Refusal`.
 */
export function patchOf(image: Image, body: unknown): ImagePatch {
  if (!Array.isArray(body)) throw invalid('The body must be a list of changes.')
  if (body.length > mostChanges) throw new Refusal(413, `At most ${mostChanges} changes are made at once.`)
  const properties = new Map(Object.entries(image.glance.properties))
  let patch: ImagePatch = {}
  for (const change of body) {
    const { op, key, value } = changeOf(change)
    if (isProperty(key)) {
      changeProperty(properties, op, key, value)
      continue
    }
    if (op === 'remove') throw new Refusal(403, `Attribute '${key}' may not be removed.`)
    const { id, owner, glance, ...rest } = fieldOf(key, value)
    if (id !== undefined) throw new Refusal(403, "Attribute 'id' is read-only.")
    if (owner !== undefined && owner !== image.projectId) {
      throw new Refusal(403, 'An image stays with the project that made it.')
    }
    patch = { ...patch, ...rest, glance: { ...patch.glance, ...glance } }
  }
  requireFormat(image, patch)
  return { ...patch, glance: { ...patch.glance, properties: propertiesOf(properties) } }
}

type Op = 'add' | 'replace' | 'remove'

function changeOf(change: unknown): { readonly op: Op; readonly key: string; readonly value: unknown } {
  if (!isObject(change)) throw invalid('Each change must be an object.')
  const { op, path, value } = change
  if (op !== 'add' && op !== 'replace' && op !== 'remove') throw invalid('op must be add, replace or remove.')
  if (typeof path !== 'string' || !/^\/[^/]+$/.test(path)) {
    throw invalid('path must be a slash and the name of one attribute.')
  }
  if (op !== 'remove' && value === undefined) throw invalid(`A change of ${path} needs a value.`)
  return { op, key: path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~'), value }
}

function changeProperty(properties: Map<string, string>, op: Op, key: string, value: unknown): void {
  if (op !== 'add' && !properties.has(key)) throw new Refusal(409, `The image has no property ${key}.`)
  if (op === 'remove') properties.delete(key)
  else properties.set(key, propertyOf(key, value))
}

/** What its content is does not change by calling it something else. */
function requireFormat({ status, glance }: Image, { glance: said = {} }: ImagePatch): void {
  if (status === 'queued') return
  const { containerFormat = glance.containerFormat, diskFormat = glance.diskFormat } = said
  if (containerFormat === glance.containerFormat && diskFormat === glance.diskFormat) return
  throw new Refusal(403, 'container_format and disk_format can be changed only while the image is queued.')
}
