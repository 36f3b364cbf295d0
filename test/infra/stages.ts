/** Stages that tests of the template look at: each option of a stage alone, and all of them together. */

const ACCOUNT = '111122223333';
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const OTHER_KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/00000000-12ab-34cd-56ef-1234567890ab`;
const MODEL = { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) };
const JWT = { issuer: 'https://issuer.example', audience: ['labelqueue'] };
const VPC = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };

const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:new-images`;
const RULE = `arn:aws:events:us-east-1:${ACCOUNT}:rule/new-images`;
const RULE_OF_BUS = `arn:aws:events:us-east-1:${ACCOUNT}:rule/shop/new-images`;

/** What an account may ask for, an option each. */
export const ACCOUNT_STAGES: [string, object][] = [
  ['in a VPC', { vpc: VPC, api: {}, chatbot: {} }],
  ['with a private image server', { vpc: VPC, allowedHosts: ['images.internal:8080'] }],
  ['under a key', { kmsKeyArn: KEY, api: {}, sourceBuckets: ['photos'] }],
  [
    'with sources and a model under keys',
    { sourceBuckets: ['photos'], sourceKmsKeyArns: [OTHER_KEY], model: { ...MODEL, kmsKeyArn: KEY }, chatbot: {} },
  ],
  ['with tags', { tags: { 'cost-centre': '4711', owner: 'Team Æ' } }],
  ['within a boundary', { permissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/boundary`, api: {}, chatbot: {} }],
  ['protected', { terminationProtection: true }],
  ['traced', { tracing: 'xray', api: {}, chatbot: {} }],
  ['with an API for pages', { api: { jwt: JWT, cors: { allowOrigins: ['https://app.example'] } } }],
  ['released by canaries', { release: 'canary', api: {}, chatbot: {} }],
  [
    'with ends announced everywhere',
    { api: {}, jobEvents: { topic: true, webhookSecretParameter: '/labelqueue/webhooks' } },
  ],
  ['on a fleet', { fleet: {}, sourceBuckets: ['photos'], model: MODEL, fetchUserAgent: 'photos/1.0 ($1 "x" `y` \\)' }],
  [
    'beside a fleet of its own network',
    {
      architecture: 'arm64',
      fleet: {
        ...{ queue: 'both', vpc: VPC, ssmAccess: true, instanceTypes: ['c7g.2xlarge'], maxInstances: 300 },
        ...{ onDemandBaseCapacity: 1, onDemandPercentage: 50, volumeGb: 30, idleMinutes: 20 },
      },
    },
  ],
  ['with producers elsewhere', { allowProducers: ['444455556666', `arn:aws:iam::${ACCOUNT}:role/producers/lists`] }],
  ['fed by topics and rules', { allowProducers: [TOPIC, RULE, RULE_OF_BUS] }],
];

/** All options at once. */
export const EVERYTHING = {
  ...Object.assign({}, ...ACCOUNT_STAGES.map(([, config]) => config)),
  sourceBuckets: ['photos', 'scans'],
  model: { ...MODEL, kmsKeyArn: OTHER_KEY },
  api: { jwt: JWT, cors: { allowOrigins: ['https://app.example'] }, reservedConcurrency: 5 },
  chatbot: {},
  allowProducers: ['444455556666', `arn:aws:iam::${ACCOUNT}:role/producers/lists`, TOPIC, RULE, RULE_OF_BUS],
  architecture: 'x86_64',
  fleet: { queue: 'lambda', ssmAccess: true },
  alarmEmail: 'operator@example.com',
  resultsExpireAfterDays: 30,
  batchSize: 100,
  batchWindowSeconds: 30,
} as Record<string, unknown>;

/** Stages that together have everything that a stage can have. */
export const STAGES: [string, object][] = [
  ['least', { athena: false }],
  ['with ends announced', { jobEvents: true }],
  ['with the API', { api: {}, sourceBuckets: ['photos'] }],
  ['with the chatbot', { chatbot: {}, sourceBuckets: ['photos'], model: MODEL }],
  ['with the API for tokens', { api: { jwt: JWT, reservedConcurrency: 5 }, model: MODEL }],
  ['usual', { alarmEmail: 'operator@example.com', sourceBuckets: ['photos', 'scans'], resultsExpireAfterDays: 30 }],
  [
    'provisioned',
    {
      provisionedPollers: { minimum: 2, maximum: 20 },
      batchSize: 100,
      batchWindowSeconds: 2,
      topK: 3,
      embedding: true,
      modelPrecision: 'float32',
      model: MODEL,
    },
  ],
  ...ACCOUNT_STAGES,
  ['everything', EVERYTHING],
];
