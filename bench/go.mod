module github.com/tillmend/tillmend/bench

go 1.26.0

require (
	github.com/moov-io/iso8583 v0.26.1
	github.com/tillmend/tillmend v0.0.0-00010101000000-000000000000
)

require (
	github.com/yerden/go-util v1.1.4 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/tillmend/tillmend => ../
