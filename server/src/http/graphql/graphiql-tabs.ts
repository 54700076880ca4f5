/** A tab of a visitor without saved tabs. The tabs are examples to run in order. */
export interface GraphiQLTab {
  readonly query: string;
  /** JSON. */
  readonly variables: string;
}

const KEY = { tenantId: "acme", workflowId: "nightly-report", artifactId: "summary.json" };

export const GRAPHIQL_TABS: readonly GraphiQLTab[] = [
  {
    query: `# Write an artifact: press Ctrl-Enter.
# Run it again to replace it: "created" is false.
# Larger content: PUT it at its downloadUrl.
mutation WriteArtifact($input: WriteArtifactInput!) {
  writeArtifact(input: $input) {
    created
    artifact {
      id
      tier
      sizeBytes
      checksum
      contentType
      metadata
      text
      downloadUrl
      nextTransition { action at }
    }
  }
}
`,
    variables: json({
      input: {
        ...KEY,
        tier: "HOT",
        content: { text: '{"rows": 42}\n' },
        metadata: { author: "me", run: 1 },
        ifAbsent: false,
      },
    }),
  },
  {
    query: `# Watch events arrive: run this, then write
# or move in another tab of your browser.
# It lists the last 50 events, the newest first,
# until you press the button again or leave.
# With "after", a cursor, it first replays
# each later event, exactly once.
subscription WatchEvents($where: LifecycleEventFilter, $after: String) {
  lifecycleEvents(where: $where, after: $after) {
    cursor
    timestamp
    type
    actor
    artifactId
    fromTier
    toTier
    dryRun
  }
}
`,
    variables: json({ where: { tenantId: KEY.tenantId } }),
  },
  {
    query: `# Move the artifact. The button lists both moves.
# A restore sets its age to 0.
mutation PromoteToCold(
  $tenantId: String!
  $workflowId: String!
  $artifactId: String!
) {
  promoteArtifact(
    input: {
      tenantId: $tenantId
      workflowId: $workflowId
      artifactId: $artifactId
      toTier: COLD
    }
  ) {
    fromTier
    artifact {
      tier
      ageDays
      nextTransition { action at }
    }
  }
}

mutation RestoreToHot(
  $tenantId: String!
  $workflowId: String!
  $artifactId: String!
) {
  restoreArtifact(
    input: {
      tenantId: $tenantId
      workflowId: $workflowId
      artifactId: $artifactId
      toTier: HOT
    }
  ) {
    fromTier
    artifact {
      tier
      ageDays
      nextTransition { action at }
    }
  }
}
`,
    variables: json(KEY),
  },
  {
    query: `# What would the lifecycle do at "asOf"?
# A dry run changes nothing. With "dryRun": false
# and without "asOf" it does what is due now.
mutation RunLifecycle($input: RunLifecycleInput!) {
  runLifecycle(input: $input) {
    started
    job {
      id
      status
      asOf
      promotedToWarm
      promotedToCold
      purged
      totalErrors
      items(first: 20) {
        totalCount
        nodes {
          tenantId
          workflowId
          artifactId
          step
          ageDays
          outcome
        }
      }
    }
  }
}
`,
    variables: json({ input: { dryRun: true, asOf: "2099-01-01T00:00:00.000Z", waitSeconds: 30 } }),
  },
  {
    query: `# Show the tiers and the oldest artifacts.
query Browse($first: Int!) {
  tierStats { tier artifactCount totalBytes tenantCount }
  retentionPolicy { hotDays warmDays coldDays }
  artifacts(
    first: $first
    orderBy: { field: AGE, direction: DESC }
  ) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      tenantId
      workflowId
      artifactId
      tier
      sizeBytes
      ageDays
      nextTransition { action at }
    }
  }
}
`,
    variables: json({ first: 20 }),
  },
];

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
