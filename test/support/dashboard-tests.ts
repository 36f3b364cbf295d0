import { afterEach, beforeEach, expect } from '@jest/globals';
import type { TestAws } from '../../testkit/test-aws.ts';
import { startTestDashboard, type TestDashboard } from './test-dashboard.ts';

/**
 * For the top of a file: a dashboard that starts anew before each test, with nothing in AWS, and must not have met a bug
 * after it. What is returned is always the dashboard of the test that runs.
 */
export function dashboardTests(aws: TestAws, options: Parameters<typeof startTestDashboard>[1] = {}): TestDashboard {
  const dashboard = {} as TestDashboard;
  beforeEach(async () => {
    aws.clear();
    Object.assign(dashboard, await startTestDashboard(aws.target, options));
  });
  afterEach(async () => {
    expect(dashboard.surprises).toEqual([]);
    await dashboard[Symbol.asyncDispose]();
  });
  return dashboard;
}
