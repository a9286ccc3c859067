# Runs lighttpd's request.t, as it is, against servers that run already. It is called in a copy of lighttpd's
# tests, with the ports of the servers of the sites www.example.org and 123.example.org in the environment.
#
# Two things are adapted: a server is not started but named, by the request's host; and a response to HTTP/1.0
# may have the server's own version (RFC 9110 §2.5), which lighttpd's does not.
use strict;
use warnings;
use utf8;

require "./LightyTest.pm";
$INC{'LightyTest.pm'} = './LightyTest.pm';

my $handle_http = \&LightyTest::handle_http;

sub host_of {
    my ($request) = @_;
    return $1 if $request =~ m{^\w+ https?://([^/\s:]+)};
    return $request =~ /^Host:\s*(\S+)/im ? $1 : '';
}

{
    no warnings qw(redefine once);
    *LightyTest::start_proc = sub { $_[0]{PORT} = $ENV{PORT_WWW}; return 0; };
    *LightyTest::stop_proc = sub { return 0; };
    *LightyTest::has_feature = sub { return 0; };
    *LightyTest::has_crypto = sub { return 0; };
    *LightyTest::handle_http = sub {
        my ($self, $t) = @_;
        $self->{PORT} = host_of($t->{REQUEST}) =~ /^(?:123|no-simple)\./ ? $ENV{PORT_123} : $ENV{PORT_WWW};
        $_->{'HTTP-Protocol'} = 'HTTP/1.1' for @{ $t->{RESPONSE} };
        return $handle_http->($self, $t);
    };
}

my $done = do './request.t';
die $@ || $! unless defined $done;
