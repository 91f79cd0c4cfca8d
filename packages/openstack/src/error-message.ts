export interface Refusal {
  readonly reason: string
  readonly code: string | null
}

type Fields = Readonly<Record<string, unknown>>

/** Characters of a message that are kept. */
const longest = 1000

/**
 * What an error's body says. Keystone `{error: {message}}`, Neutron `{NeutronError: {type, message}}`, Nova and Cinder
 * `{itemNotFound: {message}}`, Glance `{message}` or HTML, Heat `{explanation, error: {type, message}}`, Placement and Zun
 * `{errors: [{code, detail}]}`, Swift HTML or a line of text.
 */
export function refusalOf(status: number, body: Buffer): Refusal {
  const text = body.toString('utf8')
  const found = wordsOf(fieldsOf(text)) ?? { reason: plain(text), code: null }
  const reason = clean(found.reason)
  return { reason: reason === '' ? `no reason given (${status})` : reason, code: found.code }
}

function wordsOf(fields: Fields | null): Refusal | null {
  if (fields === null) return null
  const { error, errors, NeutronError: neutron, message, explanation } = fields
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : []
  if (isFields(first)) return refusal(first['detail'] ?? first['title'], first['code'])
  if (typeof neutron === 'string') return refusal(neutron, null)
  if (isFields(neutron)) return refusal(neutron['message'], neutron['type'])
  if (isFields(error)) return refusal(error['message'] ?? explanation, error['type'])
  if (typeof message === 'string') return refusal(plain(message), null)
  // Nova and Cinder name the error by the one key.
  const [named] = Object.entries(fields)
  if (named && isFields(named[1]) && typeof named[1]['message'] === 'string')
    return refusal(named[1]['message'], named[0])
  return typeof error === 'string' ? refusal(error, null) : null
}

function refusal(reason: unknown, code: unknown): Refusal {
  return {
    reason: typeof reason === 'string' ? reason : '',
    code: typeof code === 'string' && code !== '' ? code : null,
  }
}

function fieldsOf(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

/** WebOb's and Swift's pages: a heading that repeats the status, then the sentence. */
function plain(text: string): string {
  return text
    .replace(/<(title|h1)>[^<]*<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#x27;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** What another server says ends in terminals and logs. */
function clean(words: string): string {
  return words
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
