/** What control needs of the relay, and what the relay tells it: declared once, where both can see it. */
export type { RelayLinks as HostLinks, RelayReports as HostReports, RelayStep as StepReport } from '@gantry/wire'
