// @ts-check
import { App } from './app.js';
import { h, render } from './vendor/preact.js';

const root = document.getElementById('app');
if (root === null) throw new Error('expected an element #app in index.html');
render(h(App, {}), root);
