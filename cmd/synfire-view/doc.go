// Command synfire-view shows a running model in a window: the raster and the rate of its populations, scrolling.
//
//	synfire-view cuba.star --backend gl --against cpu
//
// Space stops and goes on, the right arrow makes one step, + and - change the speed, Escape ends. With --against a
// second backend runs along; where its state differs in a word, a red mark says DIVERGED and where, and the exit
// status is 1.
//
// It draws what the backend records of every population, whether the script monitors it or not. The window needs X11, so
// the command is a binary of its own, and its window is built with the tag viewer alone (`make view`); without the tag it
// says how to build it.
package main
