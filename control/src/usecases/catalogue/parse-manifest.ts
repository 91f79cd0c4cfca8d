import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import { type Digest, parseDigest } from '@gantry/model'
import type { Manifest, ManifestPart } from '../../ports/image-tables.ts'
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type ManifestChecks,
  mediaTypes,
} from './manifest-schemas.ts'

/** A manifest before anybody looked at its parts. */
export interface ParsedManifest extends Omit<Manifest, 'config'> {
  readonly kind: 'manifest' | 'index'
  /** Parts that clients get from elsewhere if they are not here: layers that their owners let nobody hand on. */
  readonly optional: ReadonlySet<Digest>
}

/** As the distribution spec would have it: larger ones need not be taken. Bytes. */
const longest = 4 * 1024 * 1024
const layerTypes = /^application\/vnd\.(docker\.image\.rootfs\.|oci\.image\.layer\.)/
const foreignTypes = /\.foreign\.|nondistributable/

/** Reads a manifest, which is called by its SHA-256. Throws `manifest.invalid`. */
export function parseManifest(
  checks: ManifestChecks,
  { mediaType: said, content }: { readonly mediaType: string; readonly content: Buffer },
): ParsedManifest {
  if (content.length > longest) throw invalid(`it is longer than ${longest} bytes`)
  const json = parseJson(content)
  const declared = mediaTypeOf(json)
  const mediaType = declared ?? said
  if (/distribution\.manifest\.v1\+/.test(mediaType) || (json as { schemaVersion?: unknown }).schemaVersion === 1) {
    throw invalid('it has the format of schema 1, which Docker gave up in 2017; push it with a newer client')
  }
  if (declared !== undefined && said !== '' && said !== declared) {
    throw invalid(`it says that it is ${declared}, and was sent as ${said}`)
  }
  const whole = { mediaType, content: content.toString('utf8'), size: content.length, digest: digestOfBytes(content) }
  switch (mediaType) {
    case mediaTypes.ociIndex:
    case mediaTypes.dockerList:
      if (!checks.index.Check(json)) throw unfit(checks.index, json)
      return { ...whole, ...ofIndex(json) }
    case mediaTypes.ociManifest:
    case mediaTypes.dockerManifest:
      if (!checks.manifest.Check(json)) throw unfit(checks.manifest, json)
      return { ...whole, ...ofManifest(json) }
    default:
      throw invalid(`${JSON.stringify(mediaType.slice(0, 200))} is no type of manifest that is known here`)
  }
}

export function digestOfBytes(content: Buffer): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}

function ofIndex({ manifests, artifactType, subject }: ImageIndex) {
  const parts = manifests.map((each) => ({ ...partOf('manifest', each), platform: platformOf(each) }))
  return {
    kind: 'index' as const,
    artifactType: artifactType ?? null,
    configDigest: null,
    subject: subjectOf(subject),
    parts,
    optional: new Set<Digest>(),
  }
}

/**
 * An image is what engines can run: its configuration and all of its layers say so. Signatures are made of an image's
 * configuration and of layers that are none.
 */
function ofManifest({ config, layers, artifactType, subject }: ImageManifest) {
  const hasConfig = config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig
  const isImage = hasConfig && artifactType === undefined && layers.every((each) => layerTypes.test(each.mediaType))
  const configPart = partOf('blob', config)
  const foreign = layers.filter((each) => foreignTypes.test(each.mediaType))
  return {
    kind: 'manifest' as const,
    artifactType: artifactType ?? (isImage ? null : config.mediaType),
    configDigest: isImage ? configPart.digest : null,
    subject: subjectOf(subject),
    parts: [configPart, ...layers.map((each) => partOf('blob', each))],
    optional: new Set(foreign.map((each) => digestIn(each))),
  }
}

function partOf(kind: ManifestPart['kind'], descriptor: Descriptor): ManifestPart {
  const { mediaType, size } = descriptor
  return { kind, digest: digestIn(descriptor), size, mediaType, platform: null }
}

function platformOf({ platform }: Descriptor): string | null {
  if (!platform) return null
  const { os, architecture, variant } = platform
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

function subjectOf(subject: Descriptor | undefined): Digest | null {
  return subject ? digestIn(subject) : null
}

function digestIn({ digest }: Descriptor): Digest {
  const parsed = parseDigest(digest)
  if (!parsed) throw invalid(`${JSON.stringify(digest)} is no digest that is supported (sha256, sha512)`)
  return parsed
}

function parseJson(content: Buffer): object {
  const json = readJson(content)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('it is no JSON object')
  return json
}

/** undefined: it is no JSON in UTF-8, which is how its bytes are kept. */
function readJson(content: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content))
  } catch {
    return undefined
  }
}

function mediaTypeOf(json: object): string | undefined {
  return 'mediaType' in json && typeof json.mediaType === 'string' ? json.mediaType : undefined
}

function unfit(check: ManifestChecks[keyof ManifestChecks], json: object): Fault {
  const [first] = check.Errors(json)
  return invalid(first ? `${first.instancePath || 'it'} ${first.message}` : 'it does not fit its media type')
}

function invalid(problem: string): Fault {
  return new Fault('manifest.invalid', { problem })
}
