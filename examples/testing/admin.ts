/** What opens the inspector of the tests' server. */
export const ADMIN_TOKEN = 'the token of these tests';
