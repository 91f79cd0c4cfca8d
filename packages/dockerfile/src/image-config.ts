/** An image's or container's config in the Engine API's words; what is not named here is kept as it came. */
export interface ImageConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object>> | null
  readonly Env?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Entrypoint?: readonly string[] | null
  readonly Healthcheck?: object | null
  readonly ArgsEscaped?: boolean
  readonly Volumes?: Readonly<Record<string, object>> | null
  readonly WorkingDir?: string
  readonly OnBuild?: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly StopSignal?: string
  readonly Shell?: readonly string[] | null
  readonly [other: string]: unknown
}
