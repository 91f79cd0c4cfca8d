/** What is promised, kept by triggers (migration 0022); cores in millionths. */
export interface UsageDatabase {
  project_usage: UsageRow & { project_id: string }
  host_usage: UsageRow & { host_id: string }
}

interface UsageRow {
  containers: number
  cpu: number
  memory: number
  disk: number
}
