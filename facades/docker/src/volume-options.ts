import type { NewVolume, VolumeOption } from '@gantry/control'
import type { Volume, VolumeBackendName } from '@gantry/model'
import { Refusal } from './errors.ts'

/** GiB of a volume whose size nobody named: Docker knows no sizes, and only what is written takes room. */
const defaultGib = 10
/** As Fuxi has it. */
const defaultServiceGib = 1

/** A volume as a Docker client asks for it. Policy has judged the driver and the names of the options. */
export interface AskedVolume {
  /** Empty: an anonymous one. */
  readonly name: string
  readonly driver?: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
}

type Options = Readonly<Partial<Record<VolumeOption, string>>>

/** Keeps the driver that was named; policy lets no client give an option of this name. */
const driverOption = 'gantry.driver'

/** Compose refuses to go on with a volume whose driver is not the one that its file names, be it `local`. */
const composeLabel = 'com.docker.compose.project'

/** What clients are told as the driver: the one they named, else who keeps the volume. */
export function driverOf({ options, backend = 'local' }: Volume): string {
  return options?.[driverOption] ?? backend
}

/** As the client gave them. */
export function optionsOf({ options = {} }: Volume): Record<string, string> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== driverOption))
}

/** The service that the driver or the options name; undefined: the cloud decides. */
export function backendOf({ name, driver = '', options }: AskedVolume): VolumeBackendName | undefined {
  const provider = (options as Options).volume_provider
  const named = driver === 'cinder' || driver === 'manila' ? driver : undefined
  if (provider === undefined) return named
  if (provider !== 'cinder' && provider !== 'manila') {
    throw refusal(name, `"volume_provider" must be cinder or manila, not ${provider}`)
  }
  if (named !== undefined && named !== provider) {
    throw refusal(name, `driver ${named} and volume_provider=${provider} exclude each other`)
  }
  return provider
}

/** As Fuxi marks what it makes: hosts that run it for an engine of their own then know this volume. */
function fuxiMarks(backend: VolumeBackendName | undefined, { fstype = 'ext4' }: Options): NewVolume['metadata'] {
  return { volume_from: 'fuxi', ...(backend !== 'manila' && { fstype }) }
}

/** Throws 400 for what Fuxi's options cannot mean. */
export function newVolumeOf(asked: AskedVolume): NewVolume {
  const { name, driver = '', labels, options } = asked
  const said: Options = options
  const backend = backendOf(asked)
  checkTogether(name, backend, said)
  const type = said.volume_type ?? said.share_type
  const size = said.size === undefined && hasOrigin(said) ? undefined : sizeFor(asked)
  const metadata = driver === 'fuxi' ? fuxiMarks(backend, said) : undefined
  // The docker command line says `local` where nobody has named one.
  const isNamed = driver !== '' && (driver !== 'local' || Object.hasOwn(labels, composeLabel))
  return {
    name,
    labels,
    options: { ...options, ...(isNamed && { [driverOption]: driver }) },
    shared: true,
    ...(metadata && { metadata }),
    ...(size !== undefined && { size }),
    ...(backend && { backend }),
    ...(type && { type }),
    ...(said.multiattach !== undefined && { multiattach: yesOrNo(name, 'multiattach', said.multiattach) }),
    ...(said.fstype && { fsType: said.fstype }),
    ...(said.availability_zone && { availabilityZone: said.availability_zone }),
    ...(said.description && { description: said.description }),
    ...(said.snapshot_id && { snapshot: said.snapshot_id }),
    ...(said.source_volid && { volume: said.source_volid }),
  }
}

/** GiB, for one that begins with nothing. */
export function sizeFor({ driver = '', options }: AskedVolume): number {
  const isService = ['fuxi', 'cinder', 'manila'].includes(driver) || options['volume_provider'] !== undefined
  return sizeOf(options, isService ? defaultServiceGib : defaultGib)
}

function hasOrigin({ snapshot_id, source_volid }: Options): boolean {
  return Boolean(snapshot_id) || Boolean(source_volid)
}

const ofCinder = ['fstype', 'multiattach', 'volume_type', 'source_volid'] as const
const ofManila = ['share_type'] as const

function checkTogether(name: string, backend: VolumeBackendName | undefined, said: Options): void {
  const given = (names: readonly VolumeOption[]) => names.find((each) => said[each] !== undefined)
  const cinders = given(ofCinder)
  const manilas = given(ofManila)
  if (backend === 'manila' && cinders) throw refusal(name, `"${cinders}" is an option of cinder, not of manila`)
  if (backend === 'cinder' && manilas) throw refusal(name, `"${manilas}" is an option of manila, not of cinder`)
  if (said.volume_type && said.share_type) throw refusal(name, '"volume_type" and "share_type" exclude each other')
  if (said.snapshot_id && said.source_volid) throw refusal(name, '"snapshot_id" and "source_volid" exclude each other')
}

/** As OpenStack's programs read them when they are strict. */
function yesOrNo(name: string, option: string, text: string): boolean {
  const word = text.trim().toLowerCase()
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(word)) return true
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(word)) return false
  throw refusal(name, `"${option}" must be true or false, not ${text}`)
}

const unitsInGib: Readonly<Record<string, number>> = { '': 1, k: 2 ** -20, m: 2 ** -10, g: 1, t: 2 ** 10 }

/** GiB, rounded up, of `size=10`, `10G`, `10GB` or `512M`. */
export function sizeOf({ size }: Readonly<Record<string, string>>, otherwise = defaultGib): number {
  if (size === undefined) return otherwise
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(size.trim()) ?? []
  const gib = Math.ceil(Number(digits) * (unitsInGib[unit.toLowerCase()] ?? Number.NaN))
  if (digits === '' || !(gib >= 1))
    throw new Refusal(400, `invalid option: "size" must be like 10 (GiB), 10G or 512M, not ${size}`)
  return gib
}

function refusal(name: string, problem: string): Refusal {
  return new Refusal(400, `create ${name}: invalid option: ${problem}`)
}
