import type { ByteRange } from '@gantry/control'

/**
 * The part of `size` bytes that a header `Range` asks for (RFC 9110, 14.2). null: all of it, since nothing that is known here
 * was asked for; several parts are not. `unsatisfiable`: there is no such part.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  if (header === undefined || !/^bytes=/i.test(header) || header.includes(',')) return null
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header) ?? []
  if (first === '' && last === '') return 'unsatisfiable'
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start > end ? 'unsatisfiable' : { start, end }
}

/** Where a chunk lies in its upload: `0-99`, as the distribution spec writes it, or `bytes 0-99/*`. null: no such thing. */
export function parseContentRange(header: string): ByteRange | null {
  const [, start, end] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\*|\d+))?$/.exec(header.trim()) ?? []
  if (start === undefined || end === undefined || Number(start) > Number(end)) return null
  return { start: Number(start), end: Number(end) }
}

/** What an upload has so far. Registries say of nothing what they say of one byte, and clients know. */
export function receivedRange(bytes: number): string {
  return `0-${Math.max(0, bytes - 1)}`
}
