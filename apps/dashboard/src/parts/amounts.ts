const binary = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `2.2 MiB`. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < binary.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${short(value)} ${binary[unit]}`
}

/** Of memory, which the API counts in MiB. */
export function mebibytesText(mebibytes: number): string {
  return bytesText(mebibytes * 2 ** 20)
}

/** Large numbers whole, small ones with at most three digits that say something. */
export function short(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** `3 minutes ago`; `now`: epoch milliseconds. */
export function agoText(time: string, now: number): string {
  const past = now - Date.parse(time)
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  for (const [unit, milliseconds] of units) {
    if (Math.abs(past) >= milliseconds) return format.format(-Math.trunc(past / milliseconds), unit)
  }
  return past < 10_000 ? 'just now' : `${Math.round(past / 1000)} seconds ago`
}

/** `1 volume`, `3 volumes`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`
}
